namespace Cove.Agent.HttpTools.Declarations;

/// <summary>Reads how long is waited, when is tried again, and when a host is left alone. Defaults and ranges are told on the declarations.</summary>
internal static class PolicyReader
{
    public static TimeoutDeclaration Timeout(Fields? fields)
    {
        var missing = new TimeoutDeclaration();
        if (fields is null)
        {
            return missing;
        }

        var made = new TimeoutDeclaration
        {
            PerTry = fields.Seconds("per_try_seconds", missing.PerTry.TotalSeconds, 0.05, 120),
            Total = fields.Seconds("total_seconds", missing.Total.TotalSeconds, 0.05, 600),
        };
        fields.End();
        return made;
    }

    public static RetryDeclaration Retry(Fields? fields)
    {
        var missing = new RetryDeclaration();
        if (fields is null)
        {
            return missing;
        }

        var header = fields.Text("idempotency_header", 100, "Give the name of a header, for example Idempotency-Key.");
        if (header is not null)
        {
            HeaderRules.CheckName(fields, header, fields.Find("idempotency_header")!.Line);
        }

        var made = new RetryDeclaration
        {
            Max = fields.Whole("max", missing.Max, 0, 10, " tries"),
            BaseDelay = fields.Seconds("base_delay_seconds", missing.BaseDelay.TotalSeconds, 0.01, 30),
            MaxDelay = fields.Seconds("max_delay_seconds", missing.MaxDelay.TotalSeconds, 0.01, 120),
            Statuses = Statuses(fields) ?? missing.Statuses,
            IdempotencyHeader = header,
            PostOnConnectFailure = fields.Text("post", 30, "Give never or on_connect_failure.") switch
            {
                null or "never" => false,
                "on_connect_failure" => true,
                _ => throw fields.Wrong("post", fields.Find("post")!, "Give never or on_connect_failure."),
            },
        };
        fields.End();
        return made.MaxDelay >= made.BaseDelay ? made : throw fields.File.Bad(fields.Line, $"{fields.Path}.max_delay_seconds is less than base_delay_seconds", "Give it at least that.");
    }

    public static CircuitDeclaration Circuit(Fields? fields)
    {
        var missing = new CircuitDeclaration();
        if (fields is null)
        {
            return missing;
        }

        var made = new CircuitDeclaration
        {
            FailureRatio = fields.Number("failure_ratio", missing.FailureRatio, 0.1, 1, ""),
            MinimumTries = fields.Whole("minimum_tries", missing.MinimumTries, 2, 1000, " tries"),
            Window = fields.Seconds("window_seconds", missing.Window.TotalSeconds, 1, 600),
            Open = fields.Seconds("open_seconds", missing.Open.TotalSeconds, 0.5, 600),
        };
        fields.End();
        return made;
    }

    private static HashSet<int>? Statuses(Fields fields)
    {
        if (fields.Find("statuses") is null)
        {
            return null;
        }

        return [.. fields.Items("statuses", 50).Select(node => node is ScalarNode { Value: { } value } && value is >= 300 and <= 599 && value == Math.Floor(value)
            ? (int)value
            : throw fields.Wrong("statuses", node, "Give statuses from 300 to 599."))];
    }
}
