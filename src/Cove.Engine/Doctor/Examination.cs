using System.Runtime.InteropServices;

namespace Cove.Engine.Doctor;

/// <summary>The whole of <c>cove doctor</c>: looks, tries, and says what results.</summary>
internal static class Examination
{
    public static async Task<DoctorReport> RunAsync(DoctorOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var host = new Host(options);
        var findings = KernelProbe.Look(host, RuntimeInformation.OSArchitecture).ToList();
        var trials = await Trials.RunAsync(options, InterpreterProbe.Libraries.Keys, cancellationToken);
        if (trials is null)
        {
            findings.Add(InterpreterProbe.NoPython(host));
            return Report(new IsolationFinding { Privilege = "none", Error = "Python is missing" }, findings);
        }

        findings.AddRange(UserNamespaceProbe.Look(host, trials));
        findings.AddRange(ControlGroupProbe.Look(host, trials));
        findings.AddRange(ProtectionProbe.Look(host, trials));
        findings.AddRange(InterpreterProbe.Look(host, trials));
        findings.Add(await InterpreterProbe.LookForNodeAsync(host, cancellationToken));
        findings.AddRange(RootlessProbe.Look(host));
        return Report(await IsolationTrial.RunAsync(options.Backend, time, cancellationToken), findings);
    }

    private static DoctorReport Report(IsolationFinding isolation, IReadOnlyList<Finding> findings)
    {
        var refused = isolation.Missing.Except(isolation.Allowed).ToList();
        var ready = isolation.CommandRan && refused.Count == 0;
        return new DoctorReport
        {
            Ready = ready,
            Summary = Summarise(isolation, refused, ready),
            Isolation = isolation,
            Findings = findings,
        };
    }

    private static string Summarise(IsolationFinding isolation, List<string> refused, bool ready) => (ready, isolation.CommandRan) switch
    {
        (true, _) when isolation.Missing.Count > 0 => $"Sandboxes run here ({isolation.Privilege}), without what was allowed to be missing: {string.Join(", ", isolation.Missing)}.",
        (true, _) => $"Sandboxes run here with every promised protection ({isolation.Privilege}).",
        (false, true) => $"Sandboxes can be drawn ({isolation.Privilege}), but not with every promised protection: {string.Join(", ", refused)} missing.",
        _ => $"No sandbox can be started here: {isolation.Error}.",
    };
}
