//go:build !wasip1

package networkplugin

// Nobody calls a plugin that is no component but its tests.
func export(Plugin) {}
