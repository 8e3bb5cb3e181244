namespace Skein.Bench.Hello;

/// <summary>The least that a program can do.</summary>
public static class Program
{
    /// <summary>Says so.</summary>
    public static void Main() => Console.WriteLine("hello");
}
