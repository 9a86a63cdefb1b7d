#!/usr/bin/env bash
# Installs, from Debian packages, the programs that tests compare with or use. Quick where all are there already.
#
#   scripts/install-peers.sh              haproxy nginx wrk h2load caddy python3 openssl curl promtool pebble
#                                         postgres mariadbd redis-server kubectl consul podman runc busybox dnsmasq etcd etcdctl
#   scripts/install-peers.sh chromium     these programs only (any of the table below)
#   PEERS_BROWSER=1 scripts/install-peers.sh    the first list and chromium
#
# Needs root or sudo only when something is missing. No daemon is started or enabled by it: the packages of haproxy,
# nginx and caddy would take ports 80 and 443, that of prometheus 9090.
set -euo pipefail

# Daemons live in sbin, which is not in every user's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)"

declare -A PACKAGE_OF=(
  [haproxy]=haproxy [nginx]=nginx [wrk]=wrk [h2load]=nghttp2-client [caddy]=caddy
  [postgres]=postgresql [mariadbd]=mariadb-server [redis-server]=redis-server
  [python3]=python3 [openssl]=openssl [curl]=curl [chromium]=chromium [promtool]=prometheus
  [pebble]=pebble [kubectl]=kubernetes-client [consul]=consul
  [podman]=podman [runc]=runc [busybox]=busybox-static [etcd]=etcd-server [etcdctl]=etcd-client [dnsmasq]=dnsmasq-base
)
DAEMONS=(haproxy nginx caddy prometheus postgres mariadbd redis-server consul etcd)
POLICY=/usr/sbin/policy-rc.d

fail() {
  echo "install-peers: $*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# The names of the arguments that are no program in PATH.
missing_of() {
  local name
  for name in "$@"; do command -v "$name" >/dev/null || echo "$name"; done
}

# policy-rc.d with exit code 101 is how Debian's maintainer scripts are told to start nothing. One that the machine
# has already is the administrator's and stays.
forbid_services() {
  [ -e "$POLICY" ] && return
  trap 'as_root rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

# Debian 11 has Consul, later releases don't. Its release is used for this one installation: nothing of it stays among the
# machine's sources.
install_consul() {
  local place keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  place=$(mktemp -d)
  mkdir -p "$place/parts" "$place/lists/partial"
  printf 'Types: deb\nURIs: %s\nSuites: bullseye\nComponents: main\nSigned-By: %s\n' \
    "$(debian_mirror)" "$keyring" >"$place/parts/bullseye.sources"
  chmod -R a+rX "$place"
  local options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$place/parts" -o "Dir::State::lists=$place/lists")
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y -qq --no-install-recommends consul </dev/null
  as_root rm -rf "$place"
}

# The mirror of Debian's main archive that this machine uses.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' | grep '/debian/$' | head -n 1 | grep . || fail "no mirror of Debian among the sources of apt"
}

# Of the daemons that came with this run: not at the next boot either, and none may run now.
check_no_daemon() {
  local name comm
  for name in "$@"; do
    [[ " ${DAEMONS[*]} " == *" $name "* ]] || continue
    if command -v systemctl >/dev/null; then as_root systemctl --quiet disable "$name.service" 2>/dev/null || true; fi
    for comm in /proc/[0-9]*/comm; do
      if [ "$(cat "$comm" 2>/dev/null)" = "$name" ]; then fail "$name was started by its package ($comm)"; fi
    done
  done
}

main() {
  local wanted=("$@") missing=() packages=() name
  if [ ${#wanted[@]} -eq 0 ]; then
    wanted=(haproxy nginx wrk h2load caddy python3 openssl curl promtool pebble postgres mariadbd redis-server kubectl consul
      podman runc busybox dnsmasq etcd etcdctl)
    if [ "${PEERS_BROWSER:-}" = 1 ]; then wanted+=(chromium); fi
  fi
  for name in "${wanted[@]}"; do
    [ -n "${PACKAGE_OF[$name]:-}" ] || fail "unknown peer \"$name\": use ${!PACKAGE_OF[*]}"
  done
  mapfile -t missing < <(missing_of "${wanted[@]}")
  if [ ${#missing[@]} -eq 0 ]; then
    echo "install-peers: all there: ${wanted[*]}"
    return
  fi
  local missing_before=("${missing[@]}")
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}; without apt-get install them by hand"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || fail "missing: ${missing[*]}; run this as root or with sudo"
  for name in "${missing[@]}"; do
    [ "$name" = consul ] || packages+=("${PACKAGE_OF[$name]}")
  done
  forbid_services
  if [ ${#packages[@]} -gt 0 ]; then install_packages "${packages[@]}"; fi
  if [[ " ${missing[*]} " == *" consul "* ]]; then install_consul; fi
  check_no_daemon "${missing[@]}"
  mapfile -t missing < <(missing_of "${wanted[@]}")
  [ ${#missing[@]} -eq 0 ] || fail "still missing after the installation: ${missing[*]}"
  echo "install-peers: installed ${missing_before[*]}"
}

main "$@"
