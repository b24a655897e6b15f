# shellcheck shell=bash
# What the scripts share; sourced, never run. Callers have `set -euo pipefail`.

# shellcheck disable=SC2034  # for those that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -t 1 ]]; then
  # shellcheck disable=SC2034
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
  # shellcheck disable=SC2034
  bold='' dim='' plain=''
fi

heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

require_root() {
  [[ $(id -u) == 0 ]] || die 'run this as root: it starts containers with namespaces, cgroups and devices of their own'
}

# ---- undoing ---------------------------------------------------------------------------------------------------------

undo_commands=()

# at_exit COMMAND…: run when the script ends, however it ends; last come, first served.
at_exit() {
  undo_commands=("$(printf '%q ' "$@")" "${undo_commands[@]}")
}

undo() {
  local status=$? command
  trap '' INT TERM HUP
  for command in "${undo_commands[@]}"; do
    eval "$command" || printf '%s: could not undo: %s\n' "${0##*/}" "$command" >&2
  done
  exit "$status"
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- the host --------------------------------------------------------------------------------------------------------

# crun wants every v1 controller that the kernel has enabled to be mounted: one that is not belongs to the cgroup2 mount of a
# hybrid tree, where crun does not work at all. Hosts whose tree was mounted by hand tend to lack hugetlb: it is mounted for as
# long as the script runs.
prepare_cgroups() {
  local tree=/sys/fs/cgroup
  if [[ $(stat -f -c %T "$tree") != tmpfs ]] || mountpoint --quiet "$tree/hugetlb"; then return 0; fi
  at_exit release_hugetlb
  serve_crun
}

# What crun needs, now: also when somebody has taken it away since.
serve_crun() {
  local tree=/sys/fs/cgroup
  [[ $(stat -f -c %T "$tree") == tmpfs ]] || return 0
  # /proc/cgroups: name, hierarchy, number of cgroups, enabled
  grep -q $'^hugetlb\t[0-9]*\t[0-9]*\t1$' /proc/cgroups || return 0
  if ! mountpoint --quiet "$tree/hugetlb"; then
    mkdir -p "$tree/hugetlb"
    # cgroup2 gives a controller up only when none of its cgroups uses it.
    ! grep -qw hugetlb "$tree/unified/cgroup.subtree_control" 2>/dev/null ||
      echo -hugetlb >"$tree/unified/cgroup.subtree_control"
    mount -t cgroup -o hugetlb cgroup "$tree/hugetlb"
  fi
  local controllers=''
  [[ ! -e $tree/unified/cgroup.controllers ]] || controllers=$(<"$tree/unified/cgroup.controllers")
  [[ -z $controllers ]] || printf '%s: crun does not work here: cgroup2 has %s\n' "${0##*/}" "$controllers" >&2
}

release_hugetlb() {
  local directory=/sys/fs/cgroup/hugetlb
  ! mountpoint --quiet "$directory" || umount "$directory"
  [[ ! -d $directory ]] || rmdir "$directory"
}
