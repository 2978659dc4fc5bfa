#!/bin/bash
# install-packages.sh [--list|--missing] GROUP...
# Installs the packages of these groups of packages.txt that the machine does not have yet.
#   --list     print their names and stop
#   --missing  print those that are not installed and stop
#
# It only adds. No service is started or enabled by it, nothing is upgraded, and an MTA that
# the machine has stays as it is: where installing Postfix would remove or replace one,
# Postfix is unpacked into build/postfix-root and used from there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
list=$here/packages.txt
policy=/usr/sbin/policy-rc.d
private_root=$top/build/postfix-root

die() {
    echo "install-packages: $*" >&2
    exit 1
}

# Packages of the groups for this architecture, one a line.
packages_of() {
    awk -v want=" $* " -v arch="$(dpkg --print-architecture)" '
        $1 !~ /^#/ && NF >= 2 && index(want, " " $1 " ") {
            n = split($2, part, "@")
            if (n == 1 || part[2] == arch)
                print part[1]
        }' "$list"
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Postfix counts as present when its private copy is: see unpack_postfix.
is_present() {
    # Hyperscan and Vectorscan have one interface and exclude each other.
    is_installed "$1" || { [ "$1" = libhyperscan-dev ] && is_installed libvectorscan-dev; } ||
        { [ "$1" = postfix ] && [ -x "$private_root/usr/sbin/postfix" ]; }
}

missing_of() {
    local name
    for name in $(packages_of "$@"); do
        is_present "$name" || echo "$name"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Debian asks policy-rc.d before it starts a service: 101 means no. One that is already
# there belongs to the machine and is left alone.
forbid_services() {
    [ ! -e "$policy" ] || return 0
    printf '#!/bin/sh\n# Put here by mxdrop while it installs packages.\nexit 101\n' |
        as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    trap 'as_root rm -f "$policy"' EXIT
}

# A service that we brought along must not come up at the next boot either.
disable_service() {
    as_root env SYSTEMD_OFFLINE=1 update-rc.d "$1" disable >/dev/null 2>&1 ||
        echo "install-packages: could not disable the service $1 at boot" >&2
    echo "note: $1 is installed but disabled (mxdrop starts a private one);" \
         "to use it as a service: systemctl enable --now $1"
}

apt_add() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends --no-upgrade --no-remove "$@" >/dev/null
}

# Old package lists name files that the servers no longer have.
apt_install() {
    apt_add "$@" || {
        echo "install-packages: trying again with fresh package lists" >&2
        as_root apt-get update -qq
        apt_add "$@"
    }
}

# Package lists are fetched only where the ones at hand do not know a package.
refresh_lists() {
    local name
    for name in "$@"; do
        if ! apt-cache show "$name" >/dev/null 2>&1; then
            echo "apt-get update"
            as_root apt-get update -qq
            return
        fi
    done
}

# True where the machine has an MTA, or apt would have to remove something for Postfix.
postfix_conflicts() {
    local owner
    owner=$(dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
        awk '$1 == "installed" && $2 != "postfix" && /mail-transport-agent/ { print $2; exit }')
    if [ -n "$owner" ]; then
        echo "note: this machine's MTA is $owner: it stays, Postfix is unpacked privately"
        return 0
    fi
    if apt-get -s -qq install --no-install-recommends postfix 2>/dev/null | grep -q '^Remv'; then
        echo "note: installing Postfix would remove packages: it is unpacked privately"
        return 0
    fi
    if [ ! -x /usr/sbin/sendmail ] || dpkg -S /usr/sbin/sendmail >/dev/null 2>&1; then
        return 1
    fi
    echo "note: /usr/sbin/sendmail is not from a package: Postfix is unpacked privately"
}

# Postfix's files below build/, with the libraries it needs; no maintainer script runs.
unpack_postfix() {
    local work libs
    work=$(mktemp -d)
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root postfix) ||
        die "cannot download postfix"
    mkdir -p "$private_root"
    dpkg -x "$work"/postfix_*.deb "$private_root"
    libs=$(dpkg-deb -f "$work"/postfix_*.deb Depends | tr ',' '\n' | awk '/^ *lib/ { print $1 }')
    rm -rf "$work"
    # shellcheck disable=SC2086 # one word a package
    apt_install $libs netbase
}

install_postfix() {
    if postfix_conflicts; then
        unpack_postfix
        return
    fi
    echo "postfix postfix/main_mailer_type select No configuration" |
        as_root debconf-set-selections
    apt_install postfix
    disable_service postfix
}

install() {
    local missing=("$@") others=() name
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
        echo "install-packages: these packages are missing, and only root can install them:" >&2
        echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    command -v apt-get >/dev/null || die "no apt-get here; install by hand: ${missing[*]}"
    echo "installing: ${missing[*]}"
    refresh_lists "${missing[@]}"
    forbid_services
    for name in "${missing[@]}"; do
        [ "$name" = postfix ] || others+=("$name")
    done
    if [ ${#others[@]} -gt 0 ]; then
        apt_install "${others[@]}"
    fi
    for name in "${missing[@]}"; do
        case $name in
            postfix) install_postfix ;;
            redis-server) disable_service redis-server ;;
        esac
    done
}

mode=install
case ${1-} in
    --list | --missing) mode=${1#--} && shift ;;
esac
[ $# -gt 0 ] || die "usage: install-packages.sh [--list|--missing] GROUP... (build, run, test)"
for group in "$@"; do
    [ -n "$(packages_of "$group")" ] || die "$list has no group '$group'"
done
case $mode in
    list) packages_of "$@" ;;
    missing) missing_of "$@" ;;
    install)
        mapfile -t missing < <(missing_of "$@")
        [ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
        ;;
esac
