module {{name}}

go 1.25.0

tool network-host.example/networkplugin/cmd/network-plugin

require network-host.example/networkplugin v{{version}}
