package main

import _ "network-host.example/networkplugin"

func main() {}
