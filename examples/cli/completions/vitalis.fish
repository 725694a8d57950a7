# SPDX-License-Identifier: Apache-2.0
# Completion of vitalis(1) for fish: commands, their options, the options' values; else file names.
function __vitalis_option # COMMANDS, then arguments of `complete`
    complete -c vitalis -n "__fish_seen_subcommand_from $argv[1]" $argv[2..]
end

complete -c vitalis -s h -l help -d 'print the options'
complete -c vitalis -n __fish_use_subcommand -l version -d 'print the version'
complete -c vitalis -f -n __fish_use_subcommand -a run -d 'answer one prompt'
complete -c vitalis -f -n __fish_use_subcommand -a chat -d converse
complete -c vitalis -f -n __fish_use_subcommand -a info -d 'describe a model'
complete -c vitalis -f -n __fish_use_subcommand -a plan -d 'tell what memory a model needs'
complete -c vitalis -f -n __fish_use_subcommand -a verify -d "check that a model's files are whole"
complete -c vitalis -f -n __fish_use_subcommand -a quantize -d 'write a model again, its dense part in eight bits'
complete -c vitalis -f -n __fish_use_subcommand -a tokenize -d 'show the tokens of a text'
complete -c vitalis -f -n __fish_use_subcommand -a render -d 'show the prompt that a conversation makes'
complete -c vitalis -f -n __fish_use_subcommand -a parse -d 'show the messages that tokens make'
complete -c vitalis -f -n __fish_use_subcommand -a bench -d "measure a model's speed"
complete -c vitalis -f -n __fish_use_subcommand -a config -d 'show or change settings'
complete -c vitalis -f -n __fish_use_subcommand -a auth -d 'sign in to the hub, or out'
complete -c vitalis -f -n __fish_use_subcommand -a download -d 'get a model from the hub'
complete -c vitalis -f -n __fish_use_subcommand -a update -d 'look for new versions'
complete -c vitalis -f -n __fish_use_subcommand -a rollback -d 'go back to the version before'
complete -c vitalis -f -n __fish_use_subcommand -a models -d 'the models kept here'

__vitalis_option 'run chat info plan quantize bench' -x -l threads -d threads
__vitalis_option 'run chat info plan quantize bench' -x -l tier -a 'portable avx2 avx512 avx512bf16 amx' -d kernels
__vitalis_option 'run chat info plan' -x -l context -d 'tokens of prompt and answers'
__vitalis_option 'run chat plan' -x -l memory-budget -d 'the most memory to take'

__vitalis_option 'run chat' -x -l effort -a 'low medium high' -d 'how much the model reasons'
__vitalis_option 'run chat' -x -l identity -d 'first line of the system message'
__vitalis_option 'run chat' -x -l instructions -d 'the developer message'
__vitalis_option 'run chat' -r -l instructions-file -d 'the developer message from a file'
__vitalis_option 'run chat render' -x -l date -d 'date told to the model'
__vitalis_option 'run chat' -x -l temperature -d '0 takes the most probable token'
__vitalis_option 'run chat' -x -l top-p -d 'the most probable tokens of this sum'
__vitalis_option 'run chat' -x -l min-p -d 'drop tokens below this share'
__vitalis_option 'run chat' -x -l top-k -d 'sample from this many tokens'
__vitalis_option 'run chat' -x -l seed -d 'makes sampling repeatable'
__vitalis_option 'run chat' -x -l repetition-penalty -d 'for tokens that were there'
__vitalis_option 'run chat' -x -l presence-penalty -d 'for tokens in the answer'
__vitalis_option 'run chat' -x -l frequency-penalty -d 'for each time that they came'
__vitalis_option 'run chat' -x -l max-tokens -d 'longest answer'
__vitalis_option 'run chat' -l show-reasoning -d 'print the reasoning too'
__vitalis_option 'run chat' -l stats -d 'tell speed and memory'
__vitalis_option chat -r -l session -d 'keep the conversation in this file'
__vitalis_option run -x -l logprobs -d 'print log-probabilities'
__vitalis_option run -r -l tools -d 'functions the model may call'
__vitalis_option run -x -l tool-choice -a 'auto none required free' -d 'whether it calls them'
__vitalis_option run -r -l tool-results -d 'lines that answer calls'
__vitalis_option run -r -l schema -d 'JSON Schema that the answer is held to'

__vitalis_option info -l tensors -d 'list each tensor'
__vitalis_option plan -x -l sequences -d 'conversations at once'
__vitalis_option quantize -l no-compare -d 'do not tell how the models differ'
__vitalis_option 'plan quantize' -l no-probe -d 'do not measure the speed'
__vitalis_option verify -r -l manifest -d 'sizes and digests'
__vitalis_option 'info plan verify quantize tokenize bench config auth download update models' -l json -d 'print JSON'
__vitalis_option tokenize -l special -d 'take the names of special tokens for them'

__vitalis_option render -x -l form -a 'chat responses harmony' -d 'form of the JSON'
__vitalis_option render -x -l mode -a 'completion conversation training' -d 'what the prompt is for'
__vitalis_option render -l template -d "as the model's chat template"
__vitalis_option render -l keep-analysis -d 'keep the reasoning of finished turns'
__vitalis_option render -l ids -d 'print token ids'

__vitalis_option parse -l text -d 'the input is text'
__vitalis_option parse -x -l policy -a 'resilient strict lenient' -d 'what is done about errors'
__vitalis_option parse -l from-start -d 'the input begins with <|start|>'

__vitalis_option bench -x -l prompts -d 'lengths of prompts'
__vitalis_option bench -x -l depths -d 'tokens in the context before'
__vitalis_option bench -x -l sequences -d 'answers made together'
__vitalis_option bench -x -l generate -d 'tokens at each depth'
__vitalis_option bench -x -l repeats -d 'of each measurement'
__vitalis_option config -f -a 'show get set path'
__vitalis_option config -l origin -d 'where each value comes from'

__vitalis_option 'auth download update' -x -l endpoint -d 'the hub, or a mirror'
__vitalis_option 'auth download update' -x -l proxy -d 'address of a proxy'
__vitalis_option 'auth download update' -r -l ca-file -d 'certificates to trust'
__vitalis_option 'download update rollback models' -r -l cache-dir -d 'where models are kept'
__vitalis_option 'download update' -l offline -d 'use no network'
__vitalis_option 'download update' -x -l connections -d 'connections of a download'
__vitalis_option 'download update' -x -l rate-limit -d 'the most that is taken in a second'
__vitalis_option 'download update rollback' -x -l revision -d 'branch, tag or commit'
__vitalis_option 'download models' -l dry-run -d 'tell what would be done'

__vitalis_option auth -f -a 'login whoami list switch logout'
__vitalis_option auth -x -l token -d 'the token; - reads standard input'
__vitalis_option auth -l code -d 'sign in by a code typed into a browser'
__vitalis_option auth -x -l scope -d 'what is asked for'
__vitalis_option auth -x -l client-id -d 'application that the hub knows'

__vitalis_option download -x -l include -d 'files to get'
__vitalis_option download -x -l exclude -d 'files to leave'
__vitalis_option download -l all -d 'every file'
__vitalis_option download -r -l local-dir -d 'put the files here'
__vitalis_option download -r -l reuse -d 'folder that may hold files of it'
__vitalis_option download -x -l pin -d 'refuse any commit but this'
__vitalis_option download -r -l manifest -d 'refuse what differs from this list'

__vitalis_option update -l check -d 'tell what changed'
__vitalis_option update -l try -d 'have the new files answer a prompt first'
__vitalis_option update -x -l policy -a 'pinned notify config-only auto' -d 'what may be installed'

__vitalis_option models -f -a 'list remove prune pin unpin log'
__vitalis_option models -x -l keep -d 'earlier versions that prune leaves'

functions -e __vitalis_option
