using Cove.Engine;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Tests.Conformance;

/// <summary>The namespaces backend on this host, as root, as an ordinary user with what `cove doctor --fix` prepares, or as a bare one.</summary>
public sealed class NamespacesUnderTest(LiveEngine live) : BackendUnderTest
{
    public override Task<SandboxEngine> SharedAsync() => live.PatientAsync();

    public override Task<SandboxEngine> HastyAsync() => live.GetAsync();

    public override Task<SandboxEngine> StartAsync(Func<EngineOptions, EngineOptions> change)
    {
        var options = LiveEngine.Options();
        return LocalEngine.StartAsync(options with { Engine = change(options.Engine) }, TimeProvider.System, NullLogger.Instance);
    }
}

public sealed class NamespacesSandboxes(LiveEngine live) : SandboxConformance(new NamespacesUnderTest(live));

public sealed class NamespacesSandboxEnds(LiveEngine live) : SandboxEndConformance(new NamespacesUnderTest(live));

public sealed class NamespacesCreation(LiveEngine live) : CreationConformance(new NamespacesUnderTest(live));

public sealed class NamespacesTemplates(LiveEngine live) : TemplateConformance(new NamespacesUnderTest(live));

public sealed class NamespacesPython(LiveEngine live) : PythonConformance(new NamespacesUnderTest(live));

public sealed class NamespacesPythonErrors(LiveEngine live) : PythonErrorConformance(new NamespacesUnderTest(live));

public sealed class NamespacesPythonHabits(LiveEngine live) : PythonHabitConformance(new NamespacesUnderTest(live));

public sealed class NamespacesDisplay(LiveEngine live) : DisplayConformance(new NamespacesUnderTest(live));

public sealed class NamespacesBash(LiveEngine live) : BashConformance(new NamespacesUnderTest(live));

public sealed class NamespacesJavaScript(LiveEngine live) : JavaScriptConformance(new NamespacesUnderTest(live));

public sealed class NamespacesKernels(LiveEngine live) : KernelConformance(new NamespacesUnderTest(live));

public sealed class NamespacesCommands(LiveEngine live) : CommandConformance(new NamespacesUnderTest(live));

public sealed class NamespacesCommandEnds(LiveEngine live) : CommandEndConformance(new NamespacesUnderTest(live));

public sealed class NamespacesFiles(LiveEngine live) : FileConformance(new NamespacesUnderTest(live));

public sealed class NamespacesFileErrors(LiveEngine live) : FileErrorConformance(new NamespacesUnderTest(live));

public sealed class NamespacesOutcomes(LiveEngine live) : OutcomeConformance(new NamespacesUnderTest(live));

public sealed class NamespacesStops(LiveEngine live) : StopConformance(new NamespacesUnderTest(live));

public sealed class NamespacesOutput(LiveEngine live) : OutputConformance(new NamespacesUnderTest(live));

public sealed class NamespacesStreams(LiveEngine live) : StreamConformance(new NamespacesUnderTest(live));

public sealed class NamespacesJournals(LiveEngine live) : JournalConformance(new NamespacesUnderTest(live));

public sealed class NamespacesLimits(LiveEngine live) : LimitConformance(new NamespacesUnderTest(live));

public sealed class NamespacesConcurrency(LiveEngine live) : ConcurrencyConformance(new NamespacesUnderTest(live));

public sealed class NamespacesTerminals(LiveEngine live) : TerminalConformance(new NamespacesUnderTest(live));

public sealed class NamespacesFileStreams(LiveEngine live) : FileStreamConformance(new NamespacesUnderTest(live));

public sealed class NamespacesToolCalls(LiveEngine live) : ToolCallConformance(new NamespacesUnderTest(live));
