# script/lib/words.sh
# What a script does with the words that it is given, before it does anything else: --help prints the comment at its
# head. Sourced in the project's root, with `program` set to the script's name.

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "script/$program"; }

refuse() {
  echo "$program: $*" >&2
  usage >&2
  exit 2
}

give_help() {
  local word
  for word in "$@"; do
    case $word in --help | -h) usage; exit 0 ;; esac
  done
}

# Words: those that stand alone, "--", those that a value follows, "--", what was given.
take_only() {
  local alone=() valued=() word
  while [ "$1" != -- ]; do alone+=("$1"); shift; done
  shift
  while [ "$1" != -- ]; do valued+=("$1"); shift; done
  shift
  give_help "$@"
  while [ $# -gt 0 ]; do
    word=$1
    [ -n "$word" ] || refuse "a word of it is empty"
    shift
    case " ${alone[*]-} " in *" $word "*) continue ;; esac
    case " ${valued[*]-} " in
      *" $word "*) [ $# -gt 0 ] || refuse "$word needs a value" ; shift ;;
      *) refuse "$word is no word of it" ;;
    esac
  done
}
