# script/lib/system.sh
# What bootstrap and install have in common: Debian packages, system accounts, ranges of user ids, limits of the kernel.
# Sourced in the project's root, with `program` set to who says things and `packages` to what is wanted.

# Who has become root by a plain "su" has these not on the path, and useradd is in there.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

accounts=(qvd-db qvd-auth qvd-broker qvd-admin qvd-net)
# Fetches, looks at and builds images of strangers: in none of our groups, with a range for what it unpacks.
image_account=qvd-image
ids=root:1000000:2000000000
image_ids=$image_account:2146000000:65536

say() { echo "$program: $*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command whose output matters only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" > "$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# Without systemd there is nobody to start services, and nothing here needs one.
apt_install() {
  local level=()
  [ -d /run/systemd/system ] || level=(RUNLEVEL=1)
  quietly env "${level[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold install --no-install-recommends "$@"
}

list_missing() {
  local package
  for package in "${packages[@]}"; do
    # shellcheck disable=SC2016 # dpkg-query's own variables.
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2> /dev/null)" = "ii " ] || echo "$package"
  done
}

install_packages() {
  local missing unit
  mapfile -t missing < <(list_missing)
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} packages from Debian: ${missing[*]}"
  quietly apt-get -q -o DPkg::Lock::Timeout=300 update || die "apt-get update failed; look at /etc/apt/sources.list"
  if printf '%s\n' "${missing[@]}" | grep -qx postgresql; then
    # We make a cluster of our own; a default one would run for nobody.
    apt_install postgresql-common || die "postgresql-common could not be installed"
    if ! grep -qs '^create_main_cluster' /etc/postgresql-common/createcluster.conf; then
      echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf
    fi
  fi
  if printf '%s\n' "${missing[@]}" | grep -qx slapd; then
    # The tests make servers of their own; the system's gets no database and is not started, now or at boot.
    echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections
    mkdir -p /etc/systemd/system
    ln -sf /dev/null /etc/systemd/system/slapd.service
  fi
  if printf '%s\n' "${missing[@]}" | grep -qx haproxy; then
    # Like slapd's.
    mkdir -p /etc/systemd/system
    ln -sf /dev/null /etc/systemd/system/haproxy.service
  fi
  if printf '%s\n' "${missing[@]}" | grep -qx samba; then
    # Like slapd's; it would open this machine's files to the network.
    mkdir -p /etc/systemd/system
    for unit in smbd nmbd samba-ad-dc; do ln -sf /dev/null "/etc/systemd/system/$unit.service"; done
  fi
  apt_install "${missing[@]}" || die "the packages could not be installed; the lines above say why"
}

# Packages of script/lib/runtime-packages; with "all" those for virtual machines too.
list_runtime_packages() {
  sed -e '/^#/d' script/lib/runtime-packages | awk -v all="${1-}" 'NF == 1 || all == "all" { print $1 }'
}

is_member() { id -nG "$1" | tr ' ' '\n' | grep -qx "$2"; }

make_accounts() {
  local name
  # The last is udev's, which not every Debian has.
  for name in qvd qvd-tls kvm; do
    getent group "$name" > /dev/null || groupadd --system "$name"
  done
  for name in "${accounts[@]}" "$image_account"; do
    if ! getent passwd "$name" > /dev/null; then
      say "making the system account $name"
      useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$name"
    fi
    [ "$name" = "$image_account" ] || is_member "$name" qvd || usermod --append --groups qvd "$name"
  done
  for name in qvd-broker qvd-admin; do
    is_member "$name" qvd-tls || usermod --append --groups qvd-tls "$name"
  done
}

give_ranges() {
  local file
  for file in /etc/subuid /etc/subgid; do
    grep -qsx "$ids" "$file" || echo "$ids" >> "$file"
    grep -qs "^$image_account:" "$file" || echo "$image_ids" >> "$file"
  done
}

# Each desktop uses four of these, and the kernel counts those of all desktops together: one must not use up all.
raise_limits() {
  local limit=/proc/sys/fs/inotify/max_user_instances wanted=1048576
  [ "$(cat "$limit")" -lt "$wanted" ] || return 0
  if ! echo "$wanted" 2> /dev/null > "$limit"; then
    say "could not raise $limit; about $(($(cat "$limit") / 4)) desktops can run at a time"
    return 0
  fi
  echo "fs.inotify.max_user_instances = $wanted" > /etc/sysctl.d/60-qvd.conf
}
