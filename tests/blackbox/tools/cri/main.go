// What a kubelet asks of a container runtime about images (CRI), from the command line; Debian has no crictl.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const usage = `usage: cri SOCKET pull IMAGE [USER PASSWORD]   prints the image's reference
       cri SOCKET images                       prints the tags and digests that it has
       cri SOCKET remove IMAGE
       cri SOCKET ready                        fails where it can't answer about images`

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("%s", usage)
	}
	connection, err := grpc.NewClient("unix://"+words[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	images := cri.NewImageServiceClient(connection)
	command, rest := words[1], words[2:]
	switch {
	case command == "pull" && (len(rest) == 1 || len(rest) == 3):
		return pull(ctx, images, rest)
	case command == "images" && len(rest) == 0:
		return list(ctx, images)
	case command == "remove" && len(rest) == 1:
		_, err := images.RemoveImage(ctx, &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: rest[0]}})
		return err
	case command == "ready" && len(rest) == 0:
		_, err := images.ImageFsInfo(ctx, &cri.ImageFsInfoRequest{})
		return err
	}
	return fmt.Errorf("%s", usage)
}

// As a kubelet does with a pod's imagePullSecrets: the name as the pod has it, and the secret for that name's host.
func pull(ctx context.Context, images cri.ImageServiceClient, words []string) error {
	request := &cri.PullImageRequest{Image: &cri.ImageSpec{Image: words[0]}}
	if len(words) == 3 {
		request.Auth = &cri.AuthConfig{Username: words[1], Password: words[2]}
	}
	pulled, err := images.PullImage(ctx, request)
	if err != nil {
		return err
	}
	fmt.Println(pulled.ImageRef)
	return nil
}

func list(ctx context.Context, images cri.ImageServiceClient) error {
	all, err := images.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, image := range all.Images {
		for _, name := range append(image.RepoTags, image.RepoDigests...) {
			fmt.Println(name)
		}
	}
	return nil
}
