#!/usr/bin/env -S dotnet run
// Output as it comes, and a cancellation that interrupts the code but keeps its variables.
#:project ../../src/Cove.Client/Cove.Client.csproj
#:property PublishAot=false
using Cove;
using Cove.Client;

await using var cove = new CoveClient(CoveClientOptions.FromEnvironment());
await using var sandbox = await cove.CreateSandboxAsync();

using var enough = new CancellationTokenSource();
const string Code = """
    import time
    for lap in range(1000):
        print("lap", lap, flush=True)
        time.sleep(0.05)
    """;
await foreach (var next in sandbox.RunAsync(new RunRequest { Code = Code }, enough.Token))
{
    switch (next)
    {
        case RunOutput output:
            Console.Write(output.Text);
            if (output.Text.Contains("lap 3"))
            {
                enough.Cancel();
            }

            break;
        case RunCompleted { Result: var result }:
            Console.WriteLine($"ended as {result.Outcome}");
            break;
    }
}

var after = await sandbox.RunToEndAsync("print('still here, lap is', 'known' if lap >= 3 else 'lost')");
Console.Write(after.Stdout);
