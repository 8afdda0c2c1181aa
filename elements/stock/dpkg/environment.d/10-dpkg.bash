# Tools that write dates (useradd, the initramfs, Python) take this one. Any
# fixed moment will do, but not 0: an account whose password was changed on day
# 0 must choose a new one at the first login.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1700000000}"
