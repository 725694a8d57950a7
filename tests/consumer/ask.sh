#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ask.sh SOURCE PROGRAM…: the program must answer a question that the demonstration model knows, and
# complain about a model that is not there.
set -eu
source=$1
shift
answer=$("$@" "$source/examples/models/vitalis-tiny" "What is the capital of France?")
case $answer in
  *Paris*) ;;
  *) echo "$1 answered: $answer" >&2; exit 1 ;;
esac
if complaint=$("$@" "$source/no-such-model" "Hello" 2>&1); then
  echo "$1 did not fail without a model" >&2
  exit 1
fi
case $complaint in
  *no-such-model*) ;;
  *) echo "$1 complained without naming the folder: $complaint" >&2; exit 1 ;;
esac
