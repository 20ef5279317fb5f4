"""The `completion` command."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.client.api import Api
from runtime.client.candidates import SHELLS, candidates
from runtime.client.errors import UsageError

# Offering nothing is better than making the shell wait.
_TIMEOUT_S = 2.0

USAGE = {"completion": """Usage: kapacitor completion bash|zsh|fish

    Print a script that completes commands, flags, files, and the IDs of tasks, topics
    and the like. To use it in every shell:

        bash   echo 'source <(kapacitor completion bash)' >> ~/.bashrc
        zsh    echo 'source <(kapacitor completion zsh)' >> ~/.zshrc
        fish   kapacitor completion fish > ~/.config/fish/completions/kapacitor.fish

    IDs are read from the server of -url or KAPACITOR_URL.
"""}

# Each script passes the words up to the cursor. The first line of the answer is `files`
# or `words`, the others are candidates, which need no quotes. Bash completes only the
# part of a word after its last colon or equals sign.
_BASH = """\
_kapacitor() {
    local line=${COMP_LINE:0:COMP_POINT} words word lead kind reply
    read -ra words <<< "$line"
    word=${line##*[[:space:]]}
    lead=${word%"${word##*[:=]}"}
    [ -n "$word" ] || words+=("")
    COMPREPLY=()
    {
        read -r kind
        while read -r reply; do
            COMPREPLY+=("${reply#"$lead"}")
        done
    } < <("$1" __complete "${words[@]:1}" 2> /dev/null)
    if [ "$kind" = files ] && ! compopt -o default 2> /dev/null; then
        # bash 3, which macOS has
        while read -r reply; do
            COMPREPLY+=("$reply")
        done < <(compgen -f -- "$word")
    fi
}
complete -F _kapacitor kapacitor
"""
_ZSH = """\
#compdef kapacitor
_kapacitor() {
    local -a replies
    replies=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}")
    if [[ ${replies[1]} == files ]]; then
        _files
    else
        compadd -- "${(@)replies[2,-1]}"
    fi
}
if (( ! $+functions[compdef] )); then
    autoload -Uz compinit && compinit
fi
if [[ ${funcstack[1]} == _kapacitor ]]; then
    _kapacitor "$@"
else
    compdef _kapacitor kapacitor
fi
"""
_FISH = """\
function __kapacitor_candidates
    set -l words (commandline -opc) (commandline -ct)
    set -l replies ($words[1] __complete $words[2..-1] 2> /dev/null)
    if test "$replies[1]" = files
        __fish_complete_path (commandline -ct)
    else if set -q replies[2]
        printf '%s\\n' $replies[2..-1]
    end
end
complete -c kapacitor -f -a '(__kapacitor_candidates)'
"""
SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))


def completion(api: Api, arguments: list[str]) -> None:
    """Print the script of a shell."""
    if len(arguments) != 1 or arguments[0] not in SCRIPTS:
        raise UsageError(f"Must pass a shell: {', '.join(SCRIPTS)}")
    print(SCRIPTS[arguments[0]], end="")


def answer(words: Sequence[str], url: str, *, verify: bool) -> None:
    """Print candidates for the last word.

    Args:
        words: words of the command line, without the program's name.
        url: URL of the server, unless the words name one.
        verify: default of certificate verification.
    """
    found = candidates(
        words,
        lambda given, checked: Api(
            given or url, verify=verify and checked, timeout_s=_TIMEOUT_S
        ),
    )
    print("files" if found.are_files else "words")
    for each in found.words:
        print(each)


COMMANDS = {"completion": completion}
