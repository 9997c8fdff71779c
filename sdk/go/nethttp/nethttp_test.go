package nethttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"network-host.example/networkplugin/nethttp"
)

func TestClientsOfNetHTTPSendTheirRequestsByIt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/from" {
			http.Redirect(response, request, "/to", http.StatusTemporaryRedirect)
			return
		}
		body, _ := io.ReadAll(request.Body)
		response.Header().Set("X-Pot", request.Header.Get("X-Tea"))
		response.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(response, request.Method+" "+request.URL.RequestURI()+" "+string(body))
	}))
	defer server.Close()
	client := http.Client{Transport: nethttp.Transport{Timeout: time.Minute}, Timeout: time.Minute}
	request, err := http.NewRequest(http.MethodPost, server.URL+"/from#part", strings.NewReader("leaves"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Tea", "green")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "POST /to leaves" || answer.StatusCode != http.StatusTeapot {
		t.Error(answer.Status, string(body), err)
	}
	if answer.Header.Get("X-Pot") != "green" || answer.ContentLength != int64(len(body)) {
		t.Errorf("%+v", answer)
	}
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://a.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (nethttp.Transport{}).RoundTrip(request); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
