//go:build !wasip1

package networkplugin

// Outside of a component only tests call a plugin, and they call it directly.
func export(Plugin) {}
