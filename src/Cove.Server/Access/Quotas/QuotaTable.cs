using System.Collections.Concurrent;
using Cove.Server.State;

namespace Cove.Server.Access.Quotas;

/// <summary>The quotas of the projects that were seen since the start. There are as many as there are projects with a key.</summary>
internal sealed class QuotaTable(QuotaOptions defaults, StateStore state)
{
    private readonly ConcurrentDictionary<string, ProjectQuota> _projects = new();

    public ProjectQuota Of(string project) => _projects.GetOrAdd(project, static (name, made) => new ProjectQuota(name, made.defaults, made.state), (defaults, state));
}
