case ${ARCH:-} in
    arm64 | aarch64)
        echo "block-device-gpt does not work on $ARCH; use block-device-efi" >&2
        false
        ;;
esac
export DIB_BLOCK_DEVICE=gpt
