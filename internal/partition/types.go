package partition

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// gptTypes maps the four-digit codes by which sgdisk names partition types to
// the GUIDs that stand on disk (UEFI 2.10 §5.3.3, the Discoverable
// Partitions Specification, and the IEEE 1275 PReP binding).
var gptTypes = map[string]string{
	"0700": "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", // Microsoft basic data
	"0C01": "E3C9E316-0B5C-4DB8-817D-F92DF00215AE", // Microsoft reserved
	"2700": "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", // Windows RE
	"4100": "9E1A2D38-C612-4316-AA26-8B49521E5A8B", // PowerPC PReP boot
	"7F00": "FE3A2A5D-4F32-41A7-B725-ACCC3285A309", // ChromeOS kernel
	"7F01": "3CB8E202-3B7E-47DD-8A3C-7FF2A13CFCEC", // ChromeOS root
	"7F02": "2E0A753D-9E48-43B0-8337-B15192CB1B5E", // ChromeOS reserved
	"7F03": "CAB6E88E-ABF3-4102-A07A-D4BB9BE3C1D3", // ChromeOS firmware
	"8200": "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", // Linux swap
	"8300": "0FC63DAF-8483-4772-8E79-3D69D8477DE4", // Linux filesystem
	"8301": "8DA63339-0007-60C0-C436-083AC8230908", // Linux reserved
	"8302": "933AC7E1-2EB4-4F13-B844-0E14E2AEF915", // Linux /home
	"8303": "44479540-F297-41B2-9AF7-D131D5F0458A", // Linux x86 root
	"8304": "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", // Linux x86-64 root
	"8305": "B921B045-1DF0-41C3-AF44-4C6F280D3FAE", // Linux ARM64 root
	"8306": "3B8F8425-20E0-4F3B-907F-1A25A76F98E8", // Linux /srv
	"8307": "69DAD710-2CE4-4E3C-B16C-21A1D49ABED3", // Linux ARM32 root
	"8308": "7FFEC5C9-2D00-49B7-8941-3EA10A5586B7", // Linux dm-crypt
	"8309": "CA7D7CCB-63ED-4C53-861C-1742536059CC", // Linux LUKS
	"830A": "993D8D3D-F80E-4225-855A-9DAF8ED7EA97", // Linux IA-64 root
	"830B": "D13C5D3B-B5D1-422A-B29F-9454FDC89D76", // Linux x86 root verity
	"830C": "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5", // Linux x86-64 root verity
	"830D": "7386CDF2-203C-47A9-A498-F2ECCE45A2D6", // Linux ARM32 root verity
	"830E": "DF3300CE-D69F-4C92-978C-9BFB0F38D820", // Linux ARM64 root verity
	"830F": "86ED10D5-B607-45BB-8957-D350F23D0571", // Linux IA-64 root verity
	"8310": "4D21B016-B534-45C2-A9FB-5C16E091FD2D", // Linux /var
	"8311": "7EC6F557-3BC5-4ACA-B293-16EF5DF639D1", // Linux /var/tmp
	"8312": "773F91EF-66D4-49B5-BD83-D683BF40AD16", // Linux user's home
	"8313": "75250D76-8CC6-458E-BD66-BD47CC81A812", // Linux x86 /usr
	"8314": "8484680C-9521-48C6-9C11-B0720656F69E", // Linux x86-64 /usr
	"8315": "7D0359A3-02B3-4F0A-865C-654403E70625", // Linux ARM32 /usr
	"8316": "B0E01050-EE5F-4390-949A-9101B17104E9", // Linux ARM64 /usr
	"8317": "4301D2A6-4E3B-4B2A-BB94-9E0B2C4225EA", // Linux IA-64 /usr
	"8318": "8F461B0D-14EE-4E81-9AA9-049B6FB97ABD", // Linux x86 /usr verity
	"8319": "77FF5F63-E7B6-4633-ACF4-1565B864C0E6", // Linux x86-64 /usr verity
	"831A": "C215D751-7BCD-4649-BE90-6627490A4C05", // Linux ARM32 /usr verity
	"831B": "6E11A4E7-FBCA-4DED-B9E9-E1A512BB664E", // Linux ARM64 /usr verity
	"831C": "6A491E03-3BE7-4545-8E38-83320E0EA880", // Linux IA-64 /usr verity
	"8400": "D3BFE2DE-3DAF-11DF-BA40-E3A556D89593", // Intel Rapid Start
	"8401": "7C5222BD-8F5D-4087-9C00-BF9843C7B58C", // SPDK block device
	"8500": "5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6", // Container Linux /usr
	"8501": "3884DD41-8582-4404-B9A8-E9B84F2DF50E", // Container Linux resizable rootfs
	"8502": "C95DC21A-DF0E-4340-8D7B-26CBFA9A03E0", // Container Linux /OEM customizations
	"8503": "BE9067B9-EA49-4F15-B4F6-F36F8C9E1818", // Container Linux root on RAID
	"8E00": "E6D6D379-F507-44C2-A23C-238F2A3DF928", // Linux LVM
	"AF00": "48465300-0000-11AA-AA11-00306543ECAC", // Apple HFS/HFS+
	"EA00": "BC13C2FF-59E6-4262-A352-B275FD6F7172", // extended boot loader (XBOOTLDR)
	"EF00": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", // EFI system partition
	"EF01": "024DEE41-33E7-11D3-9D69-0008C781F39F", // MBR partition scheme
	"EF02": "21686148-6449-6E6F-744E-656564454649", // BIOS boot
	"FD00": "A19D880F-05FC-4D3B-A006-743F0F84911E", // Linux RAID
}

// GPTType returns the partition type that a layout names: a code of sgdisk
// such as 8300 or ef00, with or without 0x before it, or a GUID.
func GPTType(name string) (GUID, error) {
	if strings.Contains(name, "-") {
		return ParseGUID(name)
	}
	code := strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(name, "0x"), "0X"))
	text, ok := gptTypes[code]
	if !ok {
		return GUID{}, fmt.Errorf("partition type %q: not a known code; give the type as a guid", name)
	}
	return ParseGUID(text)
}

// GPTCodes returns the codes that [GPTType] knows, sorted.
func GPTCodes() []string { return slices.Sorted(maps.Keys(gptTypes)) }
