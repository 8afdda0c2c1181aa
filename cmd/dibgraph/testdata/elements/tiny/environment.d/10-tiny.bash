export DISTRO_NAME=tiny
export DIB_RELEASE=${DIB_RELEASE:-one}
export DIB_INIT_SYSTEM=sysv
