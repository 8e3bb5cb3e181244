namespace Skein;

/// <summary>
/// What a handler of the caller's throws (of progress, of lines that are printed) fails the task for which it was called, and nothing else.
/// Where that has ended already, nobody is left to be told: then it is said on standard error.
/// </summary>
static class HandlerFailures
{
    public static void Tell(string whose, Exception error) =>
        Console.Error.WriteLine($"skein: a handler of {whose} threw when nothing was left to fail by it: {error}");
}
