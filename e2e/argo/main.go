// Argo CD's servers that a sync needs, and a Redis that they keep their cache in, in one program: it
// is the one that it is called as. Built so, most of what else is in Argo CD need not be compiled.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	plugin "github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	repository "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	commands := map[string]func() *cobra.Command{
		"argocd-application-controller": controller.NewCommand,
		"argocd-cmp-server":             plugin.NewCommand,
		"argocd-repo-server":            repository.NewCommand,
	}
	name := filepath.Base(os.Args[0])
	command, known := commands[name]
	var err error
	switch {
	case known:
		err = command().Execute()
	case name == "redis":
		err = redis()
	default:
		err = fmt.Errorf("there is no server of the name %q", name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// redis serves until it is told to stop. Its clock has to be moved for what it keeps to expire.
func redis() error {
	address := flag.String("address", "127.0.0.1:6379", "where to listen")
	flag.Parse()
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(*address); err != nil {
		return err
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	tick := time.NewTicker(time.Second)
	for {
		select {
		case <-stop:
			return nil
		case <-tick.C:
			server.FastForward(time.Second)
		}
	}
}
