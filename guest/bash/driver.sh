# Cove's bash driver, read once by a fresh shell. The shim then sends three lines for each run through the shell's own
# script (a pipe), so the code runs at the top level: `declare` is global, `break` harms nothing, and a line that bash
# abandons half-way (an expansion error) does not take the next line, the report, with it.
#   250 answers to the shim   251 the code of the run (a file)   252 the script, which bash has opened a second time
exec 252<&-
BASH_ARGV0=bash
__cove_running=0 __cove_interrupted=0 __cove_failed=0

# `set -e` would end the shell, and with it every variable. The ERR trap fires exactly where errexit would, one moment
# earlier: it leaves the cell by `return`, level by level, with errexit off, and the report turns errexit on again.
# errtrace (-E) lets functions hear it. In a subshell nothing is done: there errexit may end what it is meant to end.
set -E
trap 'if [[ $__cove_running == 1 && $BASH_SUBSHELL == 0 && ( $- == *e* || $__cove_failed == 1 ) ]]; then __cove_failed=1; set +e; if (( ${#BASH_SOURCE[@]} > 1 )); then return; fi; fi' ERR

# An interrupt cannot `return` from here (after a signalled child, bash 5.2 would hear no second interrupt), so it arms
# a DEBUG trap that returns before the next command of every level, until the cell is left.
trap 'if [[ $__cove_running == 1 && $BASH_SUBSHELL == 0 && ${#BASH_SOURCE[@]} -gt 1 && $__cove_interrupted == 0 ]]; then __cove_interrupted=1; __cove_debug=$(trap -p DEBUG); trap "if [[ \$BASH_SUBSHELL == 0 && \${#BASH_SOURCE[@]} -gt 1 ]]; then return 130; fi" DEBUG; fi' INT

__cove_next() {
    __cove_interrupted=0 __cove_failed=0
    IFS= builtin read -r -d '' -u 251 __cove_code || builtin :
    __cove_running=1
}

__cove_report() { # exit status, number of the run
    __cove_running=0
    if [[ $__cove_interrupted == 1 ]]; then
        builtin trap - DEBUG
        builtin eval "${__cove_debug:-}"
    fi
    builtin printf 'done %s %s %s\n' "$2" "$1" "$__cove_interrupted" >&250
    if [[ $__cove_failed == 1 ]]; then builtin set -e; fi
}

builtin printf 'ready\n' >&250
