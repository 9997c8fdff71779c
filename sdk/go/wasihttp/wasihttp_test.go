package wasihttp

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"network-host.example/networkplugin/contract"
)

func TestCodesAreThoseOfTheWIT(t *testing.T) {
	text, err := fs.ReadFile(contract.WIT(), "deps/http/types.wit")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "variant error-code {")
	body, _, _ := strings.Cut(rest, "\n  }")
	var names []string
	for _, found := range regexp.MustCompile(`(?m)^ +([A-Za-z][\w-]*)(?:\(.*\))?,?$`).FindAllStringSubmatch(body, -1) {
		names = append(names, found[1])
	}
	if !slices.Equal(names, codes[:]) {
		t.Errorf("the WIT has %v", names)
	}
}

func pot(response http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/slow" {
		time.Sleep(200 * time.Millisecond)
	}
	body, _ := io.ReadAll(request.Body)
	response.Header().Add("X-Pot", request.Header.Get("X-Tea"))
	response.Header().Add("Location", "/elsewhere")
	response.WriteHeader(http.StatusTemporaryRedirect)
	_, _ = io.WriteString(response, request.Method+" "+request.Header.Get("content-type")+" "+string(body))
}

func TestARequestIsSentAndItsResponseReadWhole(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(pot))
	defer server.Close()
	header := Header{}
	header.Add("X-Tea", "green")
	answer, err := Send(Request{Method: "PUT", URL: server.URL + "/a?b", Header: header, Body: []byte("leaves")})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != 307 || string(answer.Body) != "PUT  leaves" || answer.Header.Get("x-POT") != "green" {
		t.Errorf("%+v", answer)
	}
	answer, err = Post(server.URL, "text/plain", nil)
	if err != nil || string(answer.Body) != "POST text/plain " {
		t.Errorf("%+v, %v", answer, err)
	}
	answer, err = Get(server.URL)
	if err != nil || string(answer.Body) != "GET  " {
		t.Errorf("%+v, %v", answer, err)
	}
	if value := answer.Header.Get("absent"); value != "" {
		t.Error(value)
	}
}

func TestWhatFailsHasACode(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(pot))
	defer slow.Close()
	closed := httptest.NewServer(http.HandlerFunc(pot))
	closed.Close()
	for _, test := range []struct {
		request Request
		code    string
	}{
		{Request{URL: closed.URL}, "connection-refused"},
		{Request{URL: slow.URL + "/slow", Timeout: time.Millisecond}, "connection-timeout"},
		{Request{URL: "ftp://a.example/"}, CodeInvalid},
		{Request{URL: "/no-host"}, CodeInvalid},
		{Request{URL: "http://[::1"}, CodeInvalid},
		{Request{URL: "http://user:secret@a.example/"}, CodeInvalid},
		{Request{URL: slow.URL, Method: "NO SUCH"}, CodeInvalid},
	} {
		_, err := Send(test.request)
		failure := &Error{}
		if !errors.As(err, &failure) || failure.Code != test.code {
			t.Errorf("%s: %v", test.request.URL, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Error("the error contains a secret:", err)
		}
	}
}
