// SPDX-License-Identifier: Apache-2.0
// Other tokenizers for o200k on the same texts, in the same run: MB/s of the first and the best of
// three passes, one thread, and whether the number of ids is that of tiktoken's own build.
//   npm install --prefix build/peers tiktoken gpt-tokenizer ai-tokenizer
//   node bench/tokenizer/peers.mjs build/corpus build/peers
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const [corpora, packages] = process.argv.slice(2);
const require = createRequire(resolve(packages, 'package.json'));

function documents(name) {
  const text = readFileSync(`${corpora}/${name}.txt`);
  const lengths = readFileSync(`${corpora}/${name}.lengths`);
  const out = [];
  let begin = 0;
  for (let i = 0; i < lengths.length; i += 4) {
    const end = begin + lengths.readUInt32LE(i);
    out.push(text.toString('utf8', begin, end));
    begin = end;
  }
  return { bytes: text.length, out };
}

const peers = {
  tiktoken() {
    const encoding = require('tiktoken').get_encoding('o200k_base');
    return (text) => encoding.encode_ordinary(text).length;
  },
  'gpt-tokenizer'() {
    const { encode } = require('gpt-tokenizer/encoding/o200k_base');
    return (text) => encode(text).length;
  },
  'ai-tokenizer'() {
    const { Tokenizer } = require('ai-tokenizer');
    const tokenizer = new Tokenizer(require('ai-tokenizer/encoding/o200k_base'));
    return (text) => tokenizer.encode(text).length;
  },
};

// Processor time, as tokenizer_bench counts it.
function seconds(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

for (const [peer, make] of Object.entries(peers)) {
  let encode;
  const load = seconds(() => { encode = make(); });
  for (const name of ['english', 'multilingual', 'code', 'short']) {
    const { bytes, out } = documents(name);
    let ids = 0;
    const times = [];
    for (let pass = 0; pass < 3; ++pass) {
      times.push(seconds(() => {
        ids = 0;
        for (const text of out) ids += encode(text);
      }));
    }
    const rate = (s) => (bytes / 1e6 / s).toFixed(1).padStart(7);
    console.log(`${peer.padEnd(14)} ${name.padEnd(13)} ${String(ids).padStart(8)} ids  first` +
      `${rate(times[0])}  best${rate(Math.min(...times))} MB/s  (loaded in ${(load * 1e3).toFixed(0)} ms)`);
  }
}
