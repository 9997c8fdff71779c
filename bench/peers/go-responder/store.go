package main

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

const poolSize = 64

// store keeps one document for a key: majority writes, journalled.
type store struct {
	entries *mongo.Collection
}

type entry struct {
	Value bson.Binary `bson:"value"`
}

func openStore(url string) (*store, error) {
	address, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(options.Client().ApplyURI(url).SetMaxPoolSize(poolSize))
	if err != nil {
		return nil, err
	}
	journalled := true
	concerns := options.Collection().
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journalled})
	return &store{entries: client.Database(address.Database).Collection("entries", concerns)}, nil
}

func (s *store) get(ctx context.Context, key string) (value []byte, known bool, err error) {
	var found entry
	err = s.entries.FindOne(ctx, bson.D{{Key: "_id", Value: key}}).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, false, nil
	}
	return found.Value.Data, err == nil, err
}

func (s *store) set(ctx context.Context, key string, value []byte) error {
	update := bson.D{{Key: "$set", Value: bson.D{{Key: "value", Value: bson.Binary{Data: value}}}}}
	_, err := s.entries.UpdateOne(ctx, bson.D{{Key: "_id", Value: key}}, update, options.UpdateOne().SetUpsert(true))
	return err
}
