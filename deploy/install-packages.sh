#!/bin/bash
# install-packages.sh [--list|--missing] GROUP...
# Installs the packages of these groups of packages.txt that the machine does not have yet.
#   --list     print their names and stop
#   --missing  print those that are not installed and stop
#
# It only adds. No service is started or enabled by it, nothing is upgraded, and an MTA that
# the machine has stays as it is: where installing Postfix would remove or replace one,
# Postfix is unpacked into build/postfix-root and used from there. Sendmail, which only
# tests start, is never installed: it is unpacked into build/sendmail-root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
list=$here/packages.txt
policy=/usr/sbin/policy-rc.d
postfix_root=$top/build/postfix-root
sendmail_root=$top/build/sendmail-root

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

# An MTA counts as present when its private copy is.
is_present() {
    case $1 in
        sendmail-bin) [ -x "$sendmail_root/usr/libexec/sendmail/sendmail" ] ;;
        sendmail-cf) [ -d "$sendmail_root/usr/share/sendmail/cf" ] ;;
        postfix) is_installed "$1" || [ -x "$postfix_root/usr/sbin/postfix" ] ;;
        # Hyperscan and Vectorscan have one interface and exclude each other.
        libhyperscan-dev) is_installed "$1" || is_installed libvectorscan-dev ;;
        *) is_installed "$1" ;;
    esac
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

# SpamAssassin's package imports the keys of its update channel, for which gpg starts an
# agent that stays.
end_key_agent() {
    local keys=/var/lib/spamassassin/sa-update-keys
    [ ! -d "$keys" ] || ! command -v gpgconf >/dev/null ||
        as_root gpgconf --homedir "$keys" --kill gpg-agent
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

# unpack ROOT PACKAGE: its files below build/, with the libraries it needs; no maintainer
# script runs.
unpack() {
    local root=$1 package=$2 work libs
    work=$(mktemp -d)
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package") ||
        die "cannot download $package"
    mkdir -p "$root"
    dpkg -x "$work/$package"_*.deb "$root"
    libs=$(dpkg-deb -f "$work/$package"_*.deb Depends | tr ',' '\n' | awk '/^ *lib/ { print $1 }')
    rm -rf "$work"
    # shellcheck disable=SC2086 # one word a package
    [ -z "$libs" ] || apt_install $libs
}

install_postfix() {
    if postfix_conflicts; then
        unpack "$postfix_root" postfix
        apt_install netbase
        return
    fi
    echo "postfix postfix/main_mailer_type select No configuration" |
        as_root debconf-set-selections
    apt_install postfix
    disable_service postfix
}

install() {
    local missing=("$@") others=() name
    for name in "${missing[@]}"; do
        case $name in
            postfix | sendmail-bin | sendmail-cf) ;;
            *) others+=("$name") ;;
        esac
    done
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
        echo "install-packages: missing, and only root can install them: ${missing[*]}" >&2
        echo "    run $0 as root; by hand, MTAs left as they are:" >&2
        echo "    apt-get install --no-install-recommends ${others[*]}" >&2
        exit 1
    fi
    command -v apt-get >/dev/null || die "no apt-get here; install by hand: ${others[*]}"
    echo "installing: ${missing[*]}"
    refresh_lists "${missing[@]}"
    forbid_services
    if [ ${#others[@]} -gt 0 ]; then
        apt_install "${others[@]}"
    fi
    for name in "${missing[@]}"; do
        case $name in
            postfix) install_postfix ;;
            sendmail-bin | sendmail-cf) unpack "$sendmail_root" "$name" ;;
            redis-server) disable_service redis-server ;;
            spamassassin) end_key_agent ;;
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
