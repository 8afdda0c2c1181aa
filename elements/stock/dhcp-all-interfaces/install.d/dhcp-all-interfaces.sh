#!/bin/sh
# Asks for an address on every Ethernet interface that nothing else sets up.
set -eu

for path in /sys/class/net/*; do
    name=${path##*/}
    # Hardware has a device; type 1 is Ethernet.
    if [ ! -e "$path/device" ] || [ "$(cat "$path/type")" != 1 ]; then continue; fi
    if grep -qs "^[[:space:]]*iface[[:space:]]\+${name}[[:space:]]" /etc/network/interfaces /etc/network/interfaces.d/*; then continue; fi
    printf 'allow-hotplug %s\niface %s inet dhcp\n' "$name" "$name" >"/etc/network/interfaces.d/$name"
    timeout "$DIB_DHCP_TIMEOUT" ifup "$name" || echo "dhcp-all-interfaces: $name has no address after $DIB_DHCP_TIMEOUT seconds"
done
