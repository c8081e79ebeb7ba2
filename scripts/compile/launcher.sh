#!/bin/sh
# Bulkhead @VERSION@ for Linux on @ARCH@, in one file: this text, and behind it,
# compressed, Deno @RUNTIME_VERSION@ and the server's programs. The text unpacks them
# once, checked by SHA-256, and runs them. BULKHEAD_RUNTIME=DIR chooses where.
# Its source, with the reasons: scripts/compile.

ARCH=@ARCH@
LOADER=@LOADER@
NEEDS_MB=@NEEDS_MB@
RUNTIME=@RUNTIME@
RUNTIME_VERSION=@RUNTIME_VERSION@
RUNTIME_SHA256=@RUNTIME_SHA256@
RUNTIME_SIZE=@RUNTIME_SIZE@
RUNTIME_AT=@RUNTIME_AT@
RUNTIME_LENGTH=@RUNTIME_LENGTH@
PROGRAMS=@PROGRAMS@
MAIN_SIZE=@MAIN_SIZE@
PACK_AT=@PACK_AT@
PACK_LENGTH=@PACK_LENGTH@

# SHA-256, size and name of each program, in the pack's order.
files() {
  cat <<'END'
@FILES@
END
}

say() { printf 'bulkhead: %s\n' "$*" >&2; }

# As a server that something must be mended for, or a sendmail to be tried again.
give_up() {
  case $name in sendmail | mailq | newaliases) exit 75 ;; esac
  exit 78
}

# Takes away what would change the runtime, or a tool below, unasked.
clean_environment() {
  IFS='
'
  for line in $(export -p); do
    variable=${line#export }
    variable=${variable%%=*}
    case $variable in
      *[!A-Za-z0-9_]*) ;; # a line of another variable's value
      DENO_* | NODE_* | LD_* | MALLOC_* | GLIBC_* | GCONV_PATH | RUST_* | UV_* | \
        SSLKEYLOGFILE | GZIP | POSIXLY_CORRECT) unset "$variable" ;;
    esac
  done
  IFS=' 	
'
  unset CDPATH
}

# True if directory $1 is safe and has the parts that $2... name, whole: each
# name up to / must belong to root or to us, and nobody else may write there but
# in directories like /tmp. A part comes to its name when it was checked and is
# on the disk, and nobody but its owner could change it since; so owner, mode
# and size are all that is looked at. Leaves the path without links in $place.
holds() {
  place=$(cd -P -- "$1" 2>/dev/null && pwd -P) || return 1
  shift
  for part in "$@"; do
    shift
    case $part in
      "$RUNTIME") set -- "$@" "$place/$part" "$place/$part/deno" ;;
      *) set -- "$@" "$place/$part" "$place/$part/bulkhead.mjs" ;;
    esac
  done
  above=$place
  while [ -n "$above" ]; do
    set -- "$@" "$above"
    above=${above%/*}
  done
  lines=$(LC_ALL=C ls -ldn -- / "$@" 2>/dev/null) || return 1
  IFS='
'
  set -- $lines
  IFS=' 	
'
  for line in "$@"; do
    set -- $line
    [ "$3" = 0 ] || [ "$3" = "$uid" ] || return 1
    case $1 in
      d????????[tT]*) ;;
      ????????w*) return 1 ;;
      ?????w*) [ "$4" = 0 ] || [ "$4" = "$(own_group)" ] || return 1 ;;
    esac
    case $line in
      *" $place/$RUNTIME/deno") [ "$5" = "$RUNTIME_SIZE" ] || return 1 ;;
      *" $place/$PROGRAMS/bulkhead.mjs") [ "$5" = "$MAIN_SIZE" ] || return 1 ;;
    esac
  done
}

# Some systems give each user a group of its own, and let it write.
own_group() { if [ "$uid" = 0 ]; then echo 0; else id -g; fi; }

look_in() {
  for one in "$@"; do
    if [ -n "$one" ] && holds "$one" "$RUNTIME" "$PROGRAMS"; then return 0; fi
  done
  return 1
}

unpack_in() {
  missing=$(missing_tools)
  if [ -n "$missing" ]; then
    say "cannot unpack itself without these programs:$missing"
    give_up
  fi
  if is_wrong_machine; then give_up; fi
  for one in "$@"; do
    if [ -n "$one" ] && (unpack "$one") &&
      holds "$one" "$RUNTIME" "$PROGRAMS"; then return 0; fi
  done
  if [ -z "$*" ]; then say "HOME is not set, and it unpacks itself below that"; fi
  say "BULKHEAD_RUNTIME=DIR in the environment chooses another directory. It needs" \
    "$NEEDS_MB MB, a disk where programs may run, and nobody else who may write there"
  give_up
}

missing_tools() {
  for tool in cat chmod gzip head ls mkdir mktemp mv rm sha256sum sync tail uname; do
    command -v "$tool" >/dev/null 2>&1 || printf ' %s' "$tool"
  done
}

is_wrong_machine() {
  case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) machine=$(uname -m) ;;
  esac
  if [ "$machine" != "$ARCH" ]; then
    say "this file is for $ARCH, and this machine is $machine: take the file for it"
  elif ! [ -e "$LOADER" ]; then
    say "this system has no GNU C library ($LOADER is not there), and the runtime" \
      "needs it: take a system or a container with it, such as Debian's"
  else
    return 1
  fi
}

# Unpacks what is not in directory $1 yet. In a subshell: it sets traps.
unpack() {
  set +f
  umask 077
  mkdir -p -- "$1" 2>/dev/null
  if [ "$uid" = 0 ]; then chmod 0755 -- "$1" 2>/dev/null; fi
  stage=$(mktemp -d "$1/.new-XXXXXX" 2>&1) || {
    say "cannot write to $1: ${stage##*: }"
    return 1
  }
  trap 'rm -rf -- "$stage"' EXIT
  trap 'exit 1' HUP INT TERM
  holds "$1" || {
    say "cannot use $1: somebody else may write there, or above it"
    return 1
  }
  set -- "$place"
  { holds "$1" "$RUNTIME" || { put_runtime && settle "$1" "$RUNTIME"; }; } &&
    { holds "$1" "$PROGRAMS" || { put_programs && settle "$1" "$PROGRAMS"; }; } &&
    return 0
  say "nothing was unpacked to $1"
  return 1
}

put_runtime() {
  mkdir "$stage/$RUNTIME" &&
    cut_out "$RUNTIME_AT" "$RUNTIME_LENGTH" "$self" |
    gzip -dc >"$stage/$RUNTIME/deno" || { damaged_or_full; return 1; }
  printf '%s  %s\n' "$RUNTIME_SHA256" "$stage/$RUNTIME/deno" >"$stage/sum" &&
    sha256sum -c "$stage/sum" >/dev/null 2>&1 || { damaged_or_full; return 1; }
  on_disk "$stage/$RUNTIME/deno"
  # Executed by all and read by none: placeRuntime() in installation.ts.
  chmod 0111 "$stage/$RUNTIME/deno" && chmod 0755 "$stage/$RUNTIME" || return 1
  case $("$stage/$RUNTIME/deno" --version 2>&1) in
    "deno $RUNTIME_VERSION "*) return 0 ;;
    *"ermission denied"*)
      say "no program may run on the disk of ${stage%/*} (it is mounted with noexec)" ;;
    *) say "the runtime does not run here:" \
         "$("$stage/$RUNTIME/deno" --version 2>&1 | head -n 3)" ;;
  esac
  return 1
}

put_programs() {
  mkdir "$stage/$PROGRAMS" &&
    cut_out "$PACK_AT" "$PACK_LENGTH" "$self" |
    gzip -dc >"$stage/pack" || { damaged_or_full; return 1; }
  at=1
  files | while read -r sum length file; do
    cut_out "$at" "$length" "$stage/pack" >"$stage/$PROGRAMS/$file" || exit 1
    at=$((at + length))
    printf '%s  %s\n' "$sum" "$stage/$PROGRAMS/$file" >>"$stage/sums"
  done && sha256sum -c "$stage/sums" >/dev/null 2>&1 ||
    { damaged_or_full; return 1; }
  on_disk "$stage/$PROGRAMS"/*
  chmod 0444 "$stage/$PROGRAMS"/* && chmod 0755 "$stage/$PROGRAMS"
}

# Cuts $2 octets from the $1st on out of file $3.
cut_out() { tail -c "+$1" "$3" | head -c "$2"; }

damaged_or_full() {
  say "what came out of $self has not the SHA-256 that it should have. Either the" \
    "disk of ${stage%/*} is full ($NEEDS_MB MB are needed), or that file is damaged:" \
    "get it again"
}

# Some machines' sync takes no names, and then syncs everything.
on_disk() { sync "$@" 2>/dev/null || sync; }

# Gives part $2 its name in $1, unless another start was faster: rename(2) does
# not replace a directory that holds something. One that is damaged goes.
settle() {
  on_disk "$stage/$2"
  if [ -e "$1/$2" ] && ! holds "$1" "$2"; then
    mv -f -- "$1/$2" "$stage/damaged-$2" || return 1
  fi
  mv -f -- "$stage/$2" "$1/" 2>/dev/null || holds "$1" "$2" || return 1
  on_disk "$1"
}

# At a terminal, and only there, Deno complains of every cache that it cannot
# write. What it would read there it believes: so only where nobody else may.
find_cache() {
  if [ "$uid" = 0 ]; then cache=; fi
  for one in "$place" "$cache"; do
    [ -n "$one" ] || continue
    (umask 077 && mkdir -p -- "$one/cache") 2>/dev/null
    if holds "$one" && [ -O "$place/cache" ] && [ -w "$place/cache" ]; then
      DENO_DIR=$place/cache
      return
    fi
  done
}

# exec fails where a disk was mounted anew with noexec, or a file went away.
explain() {
  if is_wrong_machine; then give_up; fi
  case $("$runs_from/$RUNTIME/deno" --version 2>&1) in
    *"ermission denied"*)
      say "no program may run on the disk of $runs_from (it is mounted with noexec):" \
        "BULKHEAD_RUNTIME=DIR in the environment chooses another directory" ;;
    *) say "cannot run $runs_from/$RUNTIME/deno: start this again, and it is unpacked" \
      "again" ;;
  esac
  give_up
}

set -fu
clean_environment
callers_path=${PATH-}
PATH=/usr/sbin:/usr/bin:/sbin:/bin
command -v ls >/dev/null 2>&1 || PATH=$callers_path
name=${0##*/}
case $0 in
  /*) self=$0 ;;
  */*) self=$PWD/$0 ;;
  *) self=$PWD/$0
     [ -f "$self" ] || self=$(PATH=$callers_path command -v -- "$0") ;;
esac
uid=$(id -u)
case $name:${1-} in
  sendmail:* | mailq:* | newaliases:* | *:sendmail | *:mailq | *:newaliases)
    # A program's directory may be gone by now, and the runtime wants one.
    [ -d "$PWD" ] || cd /
    ;;
esac
cache=
case ${XDG_CACHE_HOME-} in /*) cache=$XDG_CACHE_HOME/bulkhead ;; esac
case ${HOME-} in /*) cache=${cache:-$HOME/.cache/bulkhead} ;; esac

if [ -n "${BULKHEAD_RUNTIME-}" ]; then
  look_in "$BULKHEAD_RUNTIME" || unpack_in "$BULKHEAD_RUNTIME"
else
  set_up=/usr/local/lib/bulkhead
  or_else=/var/lib/bulkhead-runtime
  if [ "$uid" = 0 ]; then
    look_in "$set_up" "$or_else" || unpack_in "$set_up" "$or_else"
  else
    look_in "$set_up" "$or_else" "$cache" || unpack_in "$cache"
  fi
fi

case $name in
  sendmail | mailq | newaliases)
    set -- "$name" "$@"
    ;;
esac
BULKHEAD_FILE=$self
runs_from=$place
DENO_DIR=/dev/null
if [ -t 2 ]; then find_cache; fi
DENO_NO_UPDATE_CHECK=1
# As the roles have it: the supervisor idles for months, and a command is short.
MALLOC_ARENA_MAX=1
v8=--single-threaded-gc,--no-incremental-marking,--max-semi-space-size=2
export BULKHEAD_FILE DENO_DIR DENO_NO_UPDATE_CHECK MALLOC_ARENA_MAX
if [ -n "$callers_path" ]; then PATH=$callers_path; fi
if [ -n "${BASH_VERSION-}" ]; then shopt -s execfail; fi
trap explain EXIT
exec "$runs_from/$RUNTIME/deno" run --quiet --no-prompt --no-config --no-lock \
  --no-remote --no-npm --no-code-cache --v8-flags=$v8 -A "$runs_from/$PROGRAMS/bulkhead.mjs" "$@"
exit 126
