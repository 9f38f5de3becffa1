using System.Collections.Concurrent;
using System.Reflection;

namespace Cove.Tests.Support;

/// <summary>A Cove that notes which member was called and then does what the test wants, by name.</summary>
public class RecordingCove : DispatchProxy
{
    public ConcurrentQueue<string> Calls { get; } = new();

    public Func<string, object?[], object?>? Answer { get; set; }

    internal static (ICove Cove, RecordingCove Record) Create()
    {
        var cove = Create<ICove, RecordingCove>();
        return (cove, (RecordingCove)(object)cove);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        Calls.Enqueue(targetMethod!.Name);
        return Answer is { } answer ? answer(targetMethod.Name, args!) : throw new InvalidOperationException($"{targetMethod.Name} was reached.");
    }
}
