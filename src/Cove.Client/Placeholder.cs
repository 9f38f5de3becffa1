namespace Cove.Client; internal static class Placeholder;
