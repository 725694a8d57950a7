# SPDX-License-Identifier: Apache-2.0
# Completion of vitalis(1) for bash: commands, their options, the options' values; else file names.
_vitalis() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} words=
  local engine="--threads --tier --context"
  local answer="--effort --identity --instructions --instructions-file --date --temperature --top-p
    --min-p --top-k --seed --repetition-penalty --presence-penalty --frequency-penalty --max-tokens
    --show-reasoning --stats"
  local network="--endpoint --proxy --ca-file"
  local transfer="--cache-dir --offline --connections --rate-limit $network"
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words="run chat info plan verify quantize tokenize render parse bench config auth download update rollback
      models --help --version"
  elif [[ $word == -* ]]; then
    case $command in
      run) words="--help $engine $answer --memory-budget --tools --tool-choice --tool-results --schema --logprobs" ;;
      chat) words="--help $engine $answer --memory-budget --session" ;;
      info) words="--help $engine --tensors --json" ;;
      plan) words="--help $engine --sequences --memory-budget --no-probe --json" ;;
      verify) words="--help --manifest --json" ;;
      quantize) words="--help --threads --tier --no-compare --no-probe --json" ;;
      tokenize) words="--help --special --json" ;;
      render) words="--help --form --mode --template --keep-analysis --ids --date" ;;
      parse) words="--help --text --policy --from-start" ;;
      bench) words="--help --threads --tier --prompts --depths --sequences --generate --repeats --json" ;;
      config) words="--help --origin --json" ;;
      auth) words="--help --token --code --scope --client-id --json $network" ;;
      download) words="--help --revision --include --exclude --all --local-dir --reuse --pin
        --manifest --dry-run --json $transfer" ;;
      update) words="--help --revision --check --try --policy --json $transfer" ;;
      rollback) words="--help --revision --cache-dir" ;;
      models) words="--help --dry-run --keep --cache-dir --json" ;;
    esac
  else
    case $previous in
      --tier) words="portable avx2 avx512 avx512bf16 amx" ;;
      --effort) words="low medium high" ;;
      --tool-choice) words="auto none required free" ;;
      --form) words="chat responses harmony" ;;
      --mode) words="completion conversation training" ;;
      --policy)
        words="resilient strict lenient"
        [[ $command == update ]] && words="pinned notify config-only auto"
        ;;
      auth) words="login whoami list switch logout" ;;
      models) words="list remove prune pin unpin log" ;;
      config) words="show get set path" ;;
    esac
  fi
  # The words hold no spaces of their own, so splitting them is right.
  [[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _vitalis vitalis
