// SPDX-License-Identifier: Apache-2.0
// gguf_peer.mjs VITALIS FILE...: holds `vitalis info` on GGUF files to an independent reader, the npm
// package @huggingface/gguf. Run by hand where that is installed (docs/formats.md).
import { execFileSync } from "node:child_process";
import { basename, dirname, join } from "node:path";

const { gguf, GGMLQuantizationType } = await import("@huggingface/gguf");
const [program, ...files] = process.argv.slice(2);
if (!program || files.length === 0) {
  console.error("usage: node gguf_peer.mjs VITALIS FILE...");
  process.exit(2);
}
let failures = 0;
const check = (file, what, found, expected) => {
  if (String(found) === String(expected)) return;
  ++failures;
  console.error(`${file}: ${what}: vitalis says ${found}, the peer ${expected}`);
};

for (const file of files) {
  const part = /-(\d{5})-of-(\d{5})\.gguf$/.exec(file);
  if (part && part[1] !== "00001") continue;  // read with the first
  const info = JSON.parse(execFileSync(program, ["info", file, "--tensors", "--json"]));
  const parts = part
    ? Array.from({ length: Number(part[2]) }, (_, i) => join(dirname(file), basename(file).replace(
        part[1], String(i + 1).padStart(5, "0"))))
    : [file];
  const peers = [];
  for (const path of parts) peers.push(await gguf(path, { allowLocalFile: true }));
  const { metadata } = peers[0];
  const architecture = metadata["general.architecture"];
  const keys = { layers: "block_count", hidden: "embedding_length", heads: "attention.head_count",
    kv_heads: "attention.head_count_kv", head_dim: "attention.key_length", experts: "expert_count",
    experts_per_token: "expert_used_count", sliding_window: "attention.sliding_window",
    context: "context_length" };
  for (const [name, key] of Object.entries(keys)) {
    check(file, name, info.architecture[name], metadata[`${architecture}.${key}`]);
  }
  const tensors = new Map(peers.flatMap((peer) => peer.tensorInfos).map((t) => [t.name, t]));
  check(file, "tensors", info.tensors.length, tensors.size);
  for (const tensor of info.tensors) {
    const peer = tensors.get(tensor.name);
    check(file, `${tensor.name}, shape`, tensor.shape, peer && [...peer.shape].reverse());
    // The peer does not know what number 4 was to early Ollama.
    if (architecture !== "gpt-oss") continue;
    check(file, `${tensor.name}, type`, tensor.dtype, GGMLQuantizationType[peer?.dtype]);
  }
  console.log(`${file}: ${info.tensors.length} tensors agree`);
}
process.exit(failures === 0 ? 0 : 1);
