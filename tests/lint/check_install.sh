#!/bin/bash
# check_install.sh BUILD_DIR: what cmake --install puts where, that it keeps settings that
# are there, and that systemd understands the units.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"
build=${1:?usage: check_install.sh BUILD_DIR}

for name in mxdrop-milter mxdrop-policyd mxdrop-scand mxdropctl; do
    [ -x "$build/bin/$name" ] || skip "$build/bin/$name is not built"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Quick, as nothing is built here; into WORK, with the prefix that the build was given.
install_it() {
    DESTDIR=$work cmake --install "$build" >"$work/log" 2>&1 || {
        cat "$work/log"
        finding "cmake --install failed"
    }
}
install_it
prefix=$work$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")

while read -r file; do
    [ -f "$file" ] || finding "not installed: ${file#"$work"}"
done <<END
$work/etc/mxdrop/mxdrop.yaml
$prefix/sbin/mxdrop-milter
$prefix/sbin/mxdrop-policyd
$prefix/sbin/mxdrop-scand
$prefix/bin/mxdropctl
$prefix/lib/systemd/system/mxdrop-milter.service
$prefix/lib/systemd/system/mxdrop-policyd.service
$prefix/lib/systemd/system/mxdrop-scand.service
$prefix/lib/sysusers.d/mxdrop.conf
$prefix/lib/tmpfiles.d/mxdrop.conf
$prefix/share/mxdrop/rules/overlay.cf
$prefix/share/man/man1/mxdropctl.1
$prefix/share/man/man5/mxdrop.yaml.5
$prefix/share/man/man8/mxdrop-milter.8
END

for name in milter policyd scand; do
    "$prefix/sbin/mxdrop-$name" -t -c "$work/etc/mxdrop/mxdrop.yaml" >"$work/log" 2>&1 ||
        # The one thing that a sample cannot have: signatures.
        grep -q 'scand\.clamav\.signatures\|/var/lib/clamav' "$work/log" ||
        finding "mxdrop-$name -t: $(cat "$work/log")"
done

echo "log: {level: debug}" >"$work/etc/mxdrop/mxdrop.yaml"
install_it
grep -q debug "$work/etc/mxdrop/mxdrop.yaml" || finding "a second installation overwrote the settings"

if command -v systemd-analyze >/dev/null; then
    sed -i "s,${prefix#"$work"}/sbin/,$prefix/sbin/," "$prefix"/lib/systemd/system/*.service
    while read -r line; do
        finding "systemd-analyze: $line"
    done < <(systemd-analyze verify --man=no "$prefix"/lib/systemd/system/*.service 2>&1 | grep -F mxdrop)
fi
finish "installation"
