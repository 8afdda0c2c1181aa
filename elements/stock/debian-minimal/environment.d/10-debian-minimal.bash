export DISTRO_NAME=debian
export DIB_RELEASE="${DIB_RELEASE:-stable}"
export DIB_INIT_SYSTEM=systemd
export EFI_BOOT_DIR="${EFI_BOOT_DIR:-EFI/debian}"
export DIB_DEBIAN_COMPONENTS="${DIB_DEBIAN_COMPONENTS:-main}"
export DIB_DISTRIBUTION_MIRROR="${DIB_DEBIAN_DISTRIBUTION_MIRROR:-${DIB_DISTRIBUTION_MIRROR:-${DIBGRAPH_DEBIAN_MIRROR:-}}}"
export DIB_DEBIAN_SECURITY_MIRROR="${DIB_DEBIAN_SECURITY_MIRROR:-${DIBGRAPH_DEBIAN_SECURITY_MIRROR:-}}"
export DIB_DEBIAN_SECURITY_SUBPATH="${DIB_DEBIAN_SECURITY_SUBPATH:-}"

if [ -z "${DIB_APT_SOURCES_CONF:-}" ] && [ -n "$DIB_DISTRIBUTION_MIRROR" ]; then
    _components=${DIB_DEBIAN_COMPONENTS//,/ }
    DIB_APT_SOURCES_CONF="default:deb $DIB_DISTRIBUTION_MIRROR $DIB_RELEASE $_components"
    # The security archive was renamed with Debian 11. What is still being made
    # has neither updates nor a security archive.
    case $DIB_RELEASE in
        testing | unstable | sid | rc-buggy | experimental) _security= ;;
        wheezy | jessie | stretch | buster) _security=$DIB_RELEASE/updates ;;
        *) _security=$DIB_RELEASE-security ;;
    esac
    if [ -n "$_security" ]; then
        DIB_APT_SOURCES_CONF+=$'\n'"updates:deb $DIB_DISTRIBUTION_MIRROR $DIB_RELEASE-updates $_components"
        if [ -n "$DIB_DEBIAN_SECURITY_MIRROR" ]; then
            DIB_APT_SOURCES_CONF+=$'\n'"security:deb $DIB_DEBIAN_SECURITY_MIRROR $_security$DIB_DEBIAN_SECURITY_SUBPATH $_components"
        fi
    fi
    unset _components _security
fi
export DIB_APT_SOURCES_CONF="${DIB_APT_SOURCES_CONF:-}"
