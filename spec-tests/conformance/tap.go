// Package tap writes the Test Anything Protocol, https://testanything.org: what the programs of the OCI suite call of a
// library that Debian does not have.
package tap

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// T writes the results of one program, in order.
type T struct {
	out  *output
	todo bool
}

type output struct {
	writer io.Writer
	count  int
}

// New returns a T that writes to the standard output.
func New() *T {
	return &T{out: &output{writer: os.Stdout}}
}

// Header announces TAP, and the number of results unless it is zero: then AutoPlan has to tell it at the end.
func (t *T) Header(count int) {
	fmt.Fprintln(t.out.writer, "TAP version 13")
	if count > 0 {
		fmt.Fprintf(t.out.writer, "1..%d\n", count)
	}
}

// AutoPlan tells the number of results that were written.
func (t *T) AutoPlan() {
	fmt.Fprintf(t.out.writer, "1..%d\n", t.out.count)
}

// Ok writes a result.
func (t *T) Ok(passed bool, description string) {
	verdict := "ok"
	if !passed {
		verdict = "not ok"
	}
	directive := ""
	if t.todo {
		directive = " # TODO"
	}
	t.result(verdict, description, directive)
}

// Pass writes a result that is good.
func (t *T) Pass(description string) {
	t.Ok(true, description)
}

// Fail writes a result that is bad.
func (t *T) Fail(description string) {
	t.Ok(false, description)
}

// Skip writes as many results that could not be had.
func (t *T) Skip(count int, description string) {
	for i := 0; i < count; i++ {
		t.result("ok", "", " # SKIP "+oneLine(description))
	}
}

// Todo returns a T whose bad results do not count.
func (t *T) Todo() *T {
	return &T{out: t.out, todo: true}
}

// Diagnostic writes a remark.
func (t *T) Diagnostic(message string) {
	for _, line := range strings.Split(strings.TrimRight(message, "\n"), "\n") {
		fmt.Fprintf(t.out.writer, "# %s\n", line)
	}
}

// Diagnosticf writes a remark as fmt.Printf does.
func (t *T) Diagnosticf(format string, values ...interface{}) {
	t.Diagnostic(fmt.Sprintf(format, values...))
}

// YAML writes the block that belongs to the last result, as JSON, which is YAML too.
func (t *T) YAML(value interface{}) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out.writer, "  ---\n  %s\n  ...\n", text)
	return err
}

func (t *T) result(verdict string, description string, directive string) {
	t.out.count++
	line := fmt.Sprintf("%s %d", verdict, t.out.count)
	if description != "" {
		line += " - " + strings.ReplaceAll(oneLine(description), "#", "\\#")
	}
	fmt.Fprintln(t.out.writer, line+directive)
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
