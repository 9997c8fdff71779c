package networkplugin_test

import (
	"testing"

	"network-host.example/networkplugin"
	"network-host.example/networkplugin/plugintest"
)

func TestLevelsAreNamedAsPoliciesNameThem(t *testing.T) {
	for levels, want := range map[networkplugin.AccessLevels]string{
		0:                          "none",
		networkplugin.OutboundHTTP: "outbound-http",
		networkplugin.KeyValueRead | networkplugin.KeyValueWrite: "key-value-read, key-value-write",
	} {
		if got := levels.String(); got != want {
			t.Errorf("%d is %q, and not %q", levels, got, want)
		}
	}
}

type nothing struct{}

func (nothing) AccessLevels() networkplugin.AccessLevels { return 0 }

func (nothing) HandleRequest(networkplugin.Request) (networkplugin.Response, error) {
	return networkplugin.Response{}, networkplugin.Err("nothing is done")
}

func TestExportTakesOnePluginOnce(t *testing.T) {
	panics(t, "no plugin", func() { networkplugin.Export(nil) })
	networkplugin.Export(nothing{})
	panics(t, "a second plugin", func() { networkplugin.Export(nothing{}) })
}

func panics(t *testing.T, what string, run func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s was accepted", what)
		}
	}()
	run()
}

func TestTheStoreOfATestBeginsEmptyAndKeepsCopies(t *testing.T) {
	t.Run("first", func(t *testing.T) {
		tested := plugintest.NewStore(t)
		tested.Set("values", "early", []byte("x"))
		store := networkplugin.OpenKeyValueStore("values")
		defer store.Close()
		if value, found, err := store.Get("early"); string(value) != "x" || !found || err != nil {
			t.Error(value, found, err)
		}
		value := []byte("y")
		if err := store.Set("late", value); err != nil {
			t.Error(err)
		}
		value[0] = 'z'
		if got := string(tested.Bucket("values")["late"]); got != "y" {
			t.Error("it is", got)
		}
		if err := store.Set("empty", nil); err != nil {
			t.Error(err)
		}
		if value, found, _ := store.Get("empty"); len(value) != 0 || !found {
			t.Error("an empty value was not found")
		}
		if err := store.Set("\xff", nil); err == nil {
			t.Error("a key that is not valid UTF-8 was accepted")
		}
		if _, _, err := store.Get("\xff"); err == nil {
			t.Error("a key that is not valid UTF-8 was accepted")
		}
	})
	plugintest.NewStore(t)
	if value, found, err := networkplugin.OpenKeyValueStore("values").Get("early"); found || err != nil {
		t.Error("a value is left from the earlier test:", value, err)
	}
}
