using System.Text.Json.Serialization;

namespace Skein.Bench.Experiments;

/// <summary>The graph of the codec's experiment: 50 objects with about 1 KB of text and numbers in them, as a program would have them.</summary>
sealed class Order
{
    const int LineCount = 23;

    public long Id { get; set; }
    public DateTime Placed { get; set; }
    public Customer Customer { get; set; } = new();
    public Address Delivery { get; set; } = new();
    public Address Billing { get; set; } = new();
    public List<Line> Lines { get; set; } = [];

    /// <summary>One order, its customer, two addresses, 23 lines with a product each: 50 objects (strings and the list not counted).</summary>
    public static Order Example() => new()
    {
        Id = 20_260_042,
        Placed = new DateTime(2026, 3, 14, 15, 9, 26, DateTimeKind.Utc),
        Customer = new() { Id = 8_114, Name = "Grace Hopper", Email = "grace.hopper@example.org" },
        Delivery = new() { Street = "12 Harbour Lane", City = "Arlington", PostalCode = "22201" },
        Billing = new() { Street = "1 Computation Square", City = "New York", PostalCode = "10001" },
        Lines = [.. Enumerable.Range(1, LineCount).Select(i => new Line
        {
            Quantity = i % 7 + 1,
            Price = 3.25 * i,
            Product = new() { Id = 40_000 + i * 37, Name = $"{Colours[i % 5]} {Things[i % 6]}" },
        })],
    };

    /// <summary>A number that every field takes part in: what was read back is what was written.</summary>
    public long Checksum()
    {
        var sum = Id + Placed.Ticks + Customer.Id + Length(Customer.Name, Customer.Email) + Delivery.Length + Billing.Length;
        foreach (var line in Lines)
            sum = sum * 31 + line.Quantity + (long)(line.Price * 100) + line.Product.Id + Length(line.Product.Name, "");
        return sum;
    }

    static long Length(string a, string b) => a.Length + 3 * b.Length + (a.Length > 0 ? a[^1] : 0);

    static readonly string[] Colours = ["grey", "red", "amber", "blue", "white"], Things = ["kettle", "lantern", "compass", "rope", "anchor", "sail"];
}

sealed class Customer
{
    public int Id { get; set; }
    public string Name { get; set; } = "";
    public string Email { get; set; } = "";
}

sealed class Address
{
    public string Street { get; set; } = "";
    public string City { get; set; } = "";
    public string PostalCode { get; set; } = "";

    [JsonIgnore]
    public int Length => Street.Length + 3 * City.Length + 5 * PostalCode.Length;
}

sealed class Line
{
    public int Quantity { get; set; }
    public double Price { get; set; }
    public Product Product { get; set; } = new();
}

sealed class Product
{
    public int Id { get; set; }
    public string Name { get; set; } = "";
}

[JsonSerializable(typeof(Order))]
sealed partial class OrderJson : JsonSerializerContext;
