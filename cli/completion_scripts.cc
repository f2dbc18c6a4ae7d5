// The two shell scripts: both hand the words to `vise-eval complete` and show what it answers.
#include "cli/completion.h"

namespace vise::cli {
namespace {

// bash splits words at '=' and ':' (COMP_WORDBREAKS) and replaces only what follows the last of them: the program gets
// whole words, and the part that bash keeps is cut from its answers.
constexpr const char* kBash = R"script(# Completion of vise-eval for bash, made by: vise-eval completion bash
_vise_eval() {
  local program=$1 words=() word line tail separator kept= paths=none glue= i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ ${#words[@]} -gt 0 && ( $glue || $word == [=:]* ) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    [[ $word == *[=:] ]] && glue=1 || glue=
  done
  word=${words[-1]}
  for separator in = :; do
    tail=${word##*"$separator"}
    [[ $COMP_WORDBREAKS == *"$separator"* && ${#tail} -lt $((${#word} - ${#kept})) ]] && kept=${word%"$tail"}
  done
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) paths=${line#:} ;;
      *) line=${line%%$'\t'*}; COMPREPLY+=("${line#"$kept"}") ;;
    esac
  done < <("${program/#\~/$HOME}" complete -- "${words[@]}" 2>/dev/null)
  case $paths in
    files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "${word#"$kept"}") ;;
    folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "${word#"$kept"}") ;;
  esac
}
complete -F _vise_eval vise-eval
)script";

// zsh keeps words whole, and unquotes them by (Q); a colon of a candidate is escaped, since _describe takes it for the
// end of the word.
constexpr const char* kZsh = R"script(#compdef vise-eval
# Completion of vise-eval for zsh, made by: vise-eval completion zsh
_vise-eval() {
  local line paths=none tab=$'\t'
  local -a candidates
  for line in "${(@f)$("${(Q)words[1]/#\~/$HOME}" complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
    case $line in
      (:*) paths=${line#:} ;;
      (*) candidates+=("${${line%%$tab*}//:/\\:}:${line#*$tab}") ;;
    esac
  done
  case $paths in
    (files) compset -P '*='; _files ;;
    (folders) compset -P '*='; _files -/ ;;
    (*) _describe 'vise-eval' candidates ;;
  esac
}
if [[ $funcstack[1] == _vise-eval ]]; then
  _vise-eval "$@"
else
  compdef _vise-eval vise-eval
fi
)script";

}  // namespace

std::string completion_script(const std::string& shell) { return shell == "zsh" ? kZsh : kBash; }

}  // namespace vise::cli
