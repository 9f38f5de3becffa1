using System.Diagnostics;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary>The built command at a terminal of its own, typed at as a person would.</summary>
public sealed class ShellAtATerminalTests
{
    /// <summary>Starts the command at a pseudo-terminal, then types and waits by turns; says what was on the screen when something does not come.</summary>
    private const string Typist = """
        import os, pty, select, sys, time
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.argv[1], [sys.argv[1], "shell"])
        screen = ""

        def wait_for(text):
            global screen
            until = time.monotonic() + 240
            while text not in screen:
                if not select.select([terminal], [], [], max(0, until - time.monotonic()))[0]:
                    sys.exit("no %r in %r" % (text, screen))
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    data = b""
                if not data:
                    sys.exit("ended before %r: %r" % (text, screen))
                screen += data.decode("utf-8", "replace")
            screen = screen[screen.index(text) + len(text):]

        def type_(text):
            os.write(terminal, text.encode())

        wait_for(">>> ")
        type_("def f(x):\r")
        wait_for("... ")
        type_("    return x * 1001\r")
        wait_for("... ")
        type_("\r")
        wait_for(">>> ")
        type_("f(7)\r")
        wait_for("7007")
        wait_for(">>> ")
        type_("import time; print('be' + 'gun', flush=True); time.sleep(1000)\r")
        wait_for("begun")
        type_("\x03")
        wait_for("interrupted the run")
        wait_for(">>> ")
        type_("f(8)\r")
        wait_for("8008")
        wait_for(">>> ")
        type_("\x04")
        until = time.monotonic() + 240
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                sys.exit(os.waitstatus_to_exitcode(status))
            if time.monotonic() > until:
                sys.exit("it did not end")
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    os.read(terminal, 65536)
                except OSError:
                    pass
        """;

    [Fact]
    public async Task A_session_takes_cells_of_several_lines_survives_an_interrupt_and_ends()
    {
        const string python = "/usr/bin/python3";
        var cove = Path.Combine(SourceTree.Root, "artifacts", "app", "cove");
        Assert.SkipUnless(global::Cove.Cli.Libc.EffectiveUser() == 0, "needs root, whose sandboxes need no preparation");
        Assert.SkipUnless(File.Exists(python), "needs Python for its pseudo-terminal");
        Assert.SkipUnless(File.Exists(cove), "needs the built command (./cove makes it)");

        // An engine of its own, so that nobody else's is used or stopped.
        var place = TemporaryPlace.Make();
        try
        {
            var (exitCode, said) = await StartAsync(place.FullName, python, "-I", "-c", Typist, cove);
            Assert.True(exitCode == 0, said);
        }
        finally
        {
            await StartAsync(place.FullName, cove, "engine", "stop");
            place.Delete(recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Said)> StartAsync(string place, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = place };
        start.Environment["XDG_RUNTIME_DIR"] = place;
        start.Environment["XDG_STATE_HOME"] = place;
        start.Environment["TERM"] = "xterm";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(10));
        return (process.ExitCode, await output + await error);
    }
}
