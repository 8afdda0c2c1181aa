case ${ARCH:-} in
    ppc64*)
        echo "block-device-efi does not work on $ARCH; use block-device-gpt" >&2
        false
        ;;
esac
export DIB_BLOCK_DEVICE=efi
