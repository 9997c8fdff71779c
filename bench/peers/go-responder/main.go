// A responder as a team would write it by hand in Go: a NATS subscription, a goroutine for each request, the MongoDB
// driver. Same replies, durability and pool size as the one in Node (../../responders/hand-written.ts).
//
// usage: go-responder echo|compute|kv|seed SUBJECT NATS_URL MONGODB_URL|-
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"
)

const queueGroup = "bench"

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: go-responder echo|compute|kv|seed SUBJECT NATS_URL MONGODB_URL|-")
	}
	handle, err := newHandler(args[0], args[3])
	if err != nil {
		return err
	}
	connection, err := nats.Connect(args[2], nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	subscription, err := connection.QueueSubscribe(args[1], queueGroup, func(request *nats.Msg) {
		if handle.waits {
			// The subscription's goroutine takes the next request meanwhile.
			go answer(handle.do, request)
			return
		}
		answer(handle.do, request)
	})
	if err != nil {
		return err
	}
	if err := subscription.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	if err := connection.Flush(); err != nil {
		return err
	}
	fmt.Println("ready")
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	return connection.Drain()
}

func answer(do func(context.Context, []byte) (reply, error), request *nats.Msg) {
	response := nats.NewMsg(request.Reply)
	answer, err := do(context.Background(), request.Data)
	if err != nil {
		log.Print(err)
		response.Header.Set("Rpc-Error", "failed")
	} else {
		response.Header.Set("Rpc-Status", answer.status)
		response.Data = answer.body
	}
	if err := request.RespondMsg(response); err != nil {
		log.Print(err)
	}
}
