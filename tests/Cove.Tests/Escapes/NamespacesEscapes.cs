using Cove.Engine;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>The namespaces backend under attack. Another backend inherits the same suites in a file like this one.</summary>
public sealed class NamespacesUnderAttack(LiveEngine live) : IEngineUnderAttack
{
    public async Task<ICove> SharedAsync() => await live.GetAsync();

    public Task SharedRestsAsync() => live.RestedAsync();

    public async Task<ICove> FreshAsync() => await LocalEngine.StartAsync(LiveEngine.Options(poolSize: 0), TimeProvider.System, NullLogger.Instance);
}

/// <summary>Suites that count what the whole process or host holds, or load it: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

public sealed class NamespacesNoNetwork(LiveEngine live) : NoNetwork(new NamespacesUnderAttack(live));

public sealed class NamespacesHostFilesAreInvisible(LiveEngine live) : HostFilesAreInvisible(new NamespacesUnderAttack(live));

public sealed class NamespacesHostFilesAreUnwritable(LiveEngine live) : HostFilesAreUnwritable(new NamespacesUnderAttack(live));

public sealed class NamespacesHostTellsNothing(LiveEngine live) : HostTellsNothing(new NamespacesUnderAttack(live));

public sealed class NamespacesOtherSandboxesAreInvisible(LiveEngine live) : OtherSandboxesAreInvisible(new NamespacesUnderAttack(live));

public sealed class NamespacesMemoryOfOthersIsUnreadable(LiveEngine live) : MemoryOfOthersIsUnreadable(new NamespacesUnderAttack(live));

public sealed class NamespacesNoPrivileges(LiveEngine live) : NoPrivileges(new NamespacesUnderAttack(live));

public sealed class NamespacesSystemCallsAreDenied(LiveEngine live) : SystemCallsAreDenied(new NamespacesUnderAttack(live));

public sealed class NamespacesFileCallsStayInside(LiveEngine live) : FileCallsStayInside(new NamespacesUnderAttack(live));

public sealed class NamespacesArchivesStayInside(LiveEngine live) : ArchivesStayInside(new NamespacesUnderAttack(live));

[Collection(Alone.Name)]
public sealed class NamespacesFloodedTerminals(LiveEngine live) : FloodedTerminals(new NamespacesUnderAttack(live));

public sealed class NamespacesKernelAttackedFromWithin(LiveEngine live) : KernelAttackedFromWithin(new NamespacesUnderAttack(live));

public sealed class NamespacesSeedAttacks(LiveEngine live) : SeedAttacks(new NamespacesUnderAttack(live));

[Collection(Alone.Name)]
public sealed class NamespacesBombs(LiveEngine live) : Bombs(new NamespacesUnderAttack(live));

[Collection(Alone.Name)]
public sealed class NamespacesSlowDeaths(LiveEngine live) : SlowDeaths(new NamespacesUnderAttack(live));

[Collection(Alone.Name)]
public sealed class NamespacesNothingIsLeft(LiveEngine live) : NothingIsLeft(new NamespacesUnderAttack(live));
