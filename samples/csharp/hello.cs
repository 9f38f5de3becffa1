#!/usr/bin/env -S dotnet run
// Code in a sandbox, from C#. The server is COVE_URL (default http://127.0.0.1:8787), the key COVE_API_KEY.
//
//   cove serve &
//   COVE_API_KEY=cove_… dotnet run samples/csharp/hello.cs
#:project ../../src/Cove.Client/Cove.Client.csproj
#:property PublishAot=false
using Cove;
using Cove.Client;

await using var cove = new CoveClient(CoveClientOptions.FromEnvironment());
await using var sandbox = await cove.CreateSandboxAsync(new SandboxRequest { IdleTimeout = TimeSpan.FromMinutes(1) });

// Variables stay from run to run.
await sandbox.RunToEndAsync("import pandas as pd; prices = pd.Series([3, 1, 4, 1, 5])");
var run = await sandbox.RunToEndAsync("print(prices.describe()); prices.sum()");
Console.Write(run.Stdout);
Console.WriteLine($"the sum is {run.Value}");

// What went wrong comes back as something a program, or a model, can act on.
var failed = await sandbox.RunToEndAsync("prices['yesterday']");
Console.WriteLine($"{failed.Result.Outcome}: {failed.Result.Error!.Evidence!.ExceptionType}. {failed.Result.Error.Remediation}");
