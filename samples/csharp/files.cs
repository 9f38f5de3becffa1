#!/usr/bin/env -S dotnet run
// A file in, an analysis, a chart out.
#:project ../../src/Cove.Client/Cove.Client.csproj
#:property PublishAot=false
using Cove.Client;

await using var cove = new CoveClient(CoveClientOptions.FromEnvironment());
await using var sandbox = await cove.CreateSandboxAsync();

await sandbox.WriteTextAsync("/workspace/sales.csv", "month,sold\nJan,3\nFeb,5\nMar,8\n");
var run = await sandbox.RunToEndAsync("""
    import pandas as pd, matplotlib.pyplot as plt
    sales = pd.read_csv("sales.csv", index_col="month")
    sales.plot.bar()
    plt.savefig("sales.png")
    plt.close()
    print("best month:", sales.sold.idxmax())
    """);
Console.Write(run.Stdout);
await using var chart = await sandbox.ReadFileAsync("/workspace/sales.png");
Console.WriteLine(chart.Length > 1000 ? "the chart is here" : "the chart is too small");
