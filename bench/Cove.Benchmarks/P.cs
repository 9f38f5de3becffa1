namespace Cove.Benchmarks; internal static class P;
