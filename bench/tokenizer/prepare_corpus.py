#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes build/corpus from five Debian packages, by the recipe of tests/goldens/tokenizer/README.md.

For each part PART.txt has the documents joined, PART.lengths their byte lengths (32-bit, little
endian), and PART.sha256 the digest of the expected ids. `multilingual` joins the two multilingual
parts; `short` is the lines of 20 to 200 bytes of English and multilingual text, each a document.
Needs apt-get and dpkg; does nothing where the corpus is there.
"""
import hashlib
import html
import json
import pathlib
import re
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = json.loads((ROOT / 'tests/goldens/tokenizer/corpus.json').read_text())
OUT = ROOT / 'build/corpus'
MARKUP = re.compile(r'(?s)<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>')


def unpack():
    folder = OUT / 'packages'
    folder.mkdir(parents=True, exist_ok=True)
    for package, version in RECIPE['packages'].items():
        if (folder / package).exists():
            continue
        if not list(folder.glob(f'{package}_*.deb')):
            subprocess.run(['apt-get', 'download', f'{package}={version}'], cwd=folder, check=True)
        deb, = folder.glob(f'{package}_*.deb')
        subprocess.run(['dpkg', '-x', deb, folder / package], check=True)
    return folder


def document(path, strip):
    text = path.read_bytes().decode()
    return html.unescape(MARKUP.sub('', text)) if strip else text


def write(name, documents, sha256=''):
    (OUT / f'{name}.txt').write_bytes(b''.join(documents))
    lengths = [len(d) for d in documents]
    (OUT / f'{name}.lengths').write_bytes(struct.pack(f'<{len(lengths)}I', *lengths))
    (OUT / f'{name}.sha256').write_text(sha256)


def main():
    if (OUT / 'short.txt').exists():
        return
    folder = unpack()
    parts = {}
    for part in RECIPE['parts']:
        documents = [document(folder / f[0], part['strip_html']).encode() for f in part['files']]
        if hashlib.sha256(b''.join(documents)).hexdigest() != part['text_sha256']:
            sys.exit(f"prepare_corpus: {part['name']} is not the text of the recipe")
        parts[part['name']] = documents
        write(part['name'], documents, part['ids_sha256'])
    multilingual = parts['multilingual-html'] + parts['multilingual-cldr']
    write('multilingual', multilingual)
    write('short', [line for d in parts['english'] + multilingual for line in d.split(b'\n')
                    if 20 <= len(line) <= 200])


main()
