// Hello by the HTTP server of Go's standard library, on the address of the first argument.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/hello", func(answer http.ResponseWriter, _ *http.Request) {
		io.WriteString(answer, "hello\n")
	})
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
