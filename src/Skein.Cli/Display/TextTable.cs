using System.Text;

namespace Skein.Cli;

/// <summary>Text in columns, each as wide as its widest cell.</summary>
/// <param name="columns">Heading and least width of each; the width is negative where the text begins at the left, as in a format.</param>
sealed class TextTable(params IReadOnlyList<(string Heading, int Width)> columns)
{
    readonly List<string[]> _rows = [[.. columns.Select(column => column.Heading)]];

    /// <summary>Adds a row: a cell for each column.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. columns.Select((column, index) => Math.Max(Math.Abs(column.Width), _rows.Max(row => row[index].Length)))];
        var text = new StringBuilder();
        foreach (var row in _rows)
            text.Append(string.Join("  ", row.Select((cell, index) => columns[index].Width < 0 ? cell.PadRight(widths[index]) : cell.PadLeft(widths[index]))).TrimEnd()).Append('\n');
        return text.ToString();
    }
}
