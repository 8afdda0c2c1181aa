# Tools that write dates take this one, as with dpkg. Any fixed moment will do, but
# not 0, at which a password has run out.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1700000000}"
