package web

import "strings"

// ParseNetrc returns the logins of a file in the form of netrc, in which a machine
// has a login and a password, and "default" is any other.
func ParseNetrc(text string) func(host string) (user, password string, ok bool) {
	type login struct{ host, user, password string }
	var all []login
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "machine":
			all = append(all, login{host: value})
			i++
		case "default":
			all = append(all, login{})
		case "macdef":
			i = len(words) // what follows are commands, up to an empty line
		case "login", "password":
			if len(all) > 0 {
				last := &all[len(all)-1]
				if words[i] == "login" {
					last.user = value
				} else {
					last.password = value
				}
			}
			i++
		}
	}
	return func(host string) (string, string, bool) {
		for _, l := range all {
			if l.host == host || l.host == "" {
				return l.user, l.password, l.user != "" || l.password != ""
			}
		}
		return "", "", false
	}
}
