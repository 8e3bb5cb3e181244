using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein.Tests.Structure;

/// <summary>What an assembly shows to the world, as C# would declare it: sorted, one member a line, made to be read as a diff.</summary>
static class ApiListing
{
    const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly) =>
        string.Join('\n', assembly.GetExportedTypes()
            .Where(type => !type.FullName!.Contains('<'))   // what the compiler makes of extension blocks
            .OrderBy(type => type.FullName, StringComparer.Ordinal)
            .Select(Of));

    static string Of(Type type)
    {
        if (type.IsSubclassOf(typeof(Delegate)))
            return $"public delegate {Signature(type.GetMethod("Invoke")!, ApiName.Of(type))}\n";

        var members = type.IsEnum
            ? Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name), null)}")
            : type.GetMembers(Declared).Where(member => !member.Name.Contains('<')).SelectMany(Of).Order(StringComparer.Ordinal);
        return $"{Head(type)}\n{string.Concat(members.Select(member => $"    {member}\n"))}";
    }

    static string Head(Type type)
    {
        var kind = type switch
        {
            { IsEnum: true } => "enum",
            { IsInterface: true } => "interface",
            { IsValueType: true } => $"{(type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "")}{(type.IsByRefLike ? "ref " : "")}struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
        if (type.GetMethod("<Clone>$") is not null)
            kind = kind.Replace("class", "record", StringComparison.Ordinal);

        var bases = new[] { type.BaseType }.Where(b => b is not null && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum))
            .Concat(type.IsEnum ? [] : type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Where(i => i.IsPublic)
                .OrderBy(i => i.Name, StringComparer.Ordinal))
            .Select(b => ApiName.Of(b!));
        var list = string.Join(", ", bases);
        return $"public {kind} {ApiName.Of(type)}{(list.Length > 0 ? $" : {list}" : "")}{Constraints(type.GetGenericArguments())}";
    }

    static IEnumerable<string> Of(MemberInfo member) => member switch
    {
        ConstructorInfo constructor when IsVisible(constructor) && !constructor.IsStatic =>
            [$"{Access(constructor)}{ApiName.Simple(constructor.DeclaringType!)}({Parameters(constructor)})"],
        MethodInfo method when IsVisible(method) && !method.IsDefined(typeof(CompilerGeneratedAttribute)) && (!method.IsSpecialName || IsOperator(method)) =>
            [$"{Access(method)}{Signature(method, method.Name + TypeParameters(method))}"],
        PropertyInfo property when property.GetAccessors(true).Any(IsVisible) && property.Name != "EqualityContract" =>
            [$"{Access(property.GetAccessors(true).First(IsVisible))}{ApiName.Of(property)} {Name(property)} {{ {Accessors(property)} }}"],
        EventInfo happening when IsVisible(happening.AddMethod!) => [$"{Access(happening.AddMethod!)}event {ApiName.Of(happening.EventHandlerType!)} {happening.Name}"],
        FieldInfo { IsPublic: true } or FieldInfo { IsFamily: true } => [Field((FieldInfo)member)],
        _ => [],
    };

    static string Field(FieldInfo field)
    {
        var modifiers = $"{(field.IsPublic ? "public" : "protected")} {(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}";
        return $"{modifiers}{ApiName.Of(field)} {field.Name}{(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "")}";
    }

    static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    static bool IsOperator(MethodInfo method) => method.Name.StartsWith("op_", StringComparison.Ordinal);

    static string Access(MethodBase method)
    {
        var access = method.IsPublic ? "public " : "protected ";
        var kind = method switch
        {
            { IsStatic: true } => "static ",
            _ when method.DeclaringType!.IsInterface || method.IsConstructor => "",
            { IsAbstract: true } => "abstract ",
            MethodInfo { IsVirtual: true } derived when derived.GetBaseDefinition() != derived => "override ",
            { IsVirtual: true, IsFinal: false } => "virtual ",
            _ => "",
        };
        return access + kind;
    }

    static string Signature(MethodInfo method, string name) =>
        $"{ApiName.Of(method.ReturnParameter)} {name}({Parameters(method)}){Constraints(method.IsGenericMethod ? method.GetGenericArguments() : [])}";

    static string TypeParameters(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";

    static string Name(PropertyInfo property) =>
        property.GetIndexParameters() is { Length: > 0 } index ? $"this[{string.Join(", ", index.Select(Parameter))}]" : property.Name;

    static string Accessors(PropertyInfo property)
    {
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var set = property.SetMethod is { } setter && IsVisible(setter)
            ? setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;"
            : "";
        return required + (property.GetMethod is { } getter && IsVisible(getter) ? "get;" : "") + set;
    }

    static string Parameters(MethodBase method)
    {
        var extension = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return extension + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    static string Parameter(ParameterInfo parameter)
    {
        var passing = parameter switch
        {
            { IsOut: true } => "out ",
            { IsIn: true, ParameterType.IsByRef: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) => "params ",
            _ => "",
        };
        return $"{passing}{ApiName.Of(parameter)} {parameter.Name}{(parameter.HasDefaultValue ? $" = {Default(parameter)}" : "")}";
    }

    static string Default(ParameterInfo parameter) => parameter.RawDefaultValue switch
    {
        null => parameter.ParameterType.IsValueType ? "default" : "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        var value => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
    };

    static string Constraints(Type[] parameters) => string.Concat(
        from parameter in parameters
        where parameter.IsGenericParameter
        let flags = parameter.GenericParameterAttributes
        let limits = new[]
            {
                flags.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint) ? "struct" : "",
                flags.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint) ? "class" : "",
            }
            .Concat(parameter.GetGenericParameterConstraints().Where(limit => limit != typeof(ValueType)).Select(ApiName.Of))
            .Where(limit => limit.Length > 0)
            .ToArray()
        where limits.Length > 0
        select $" where {parameter.Name} : {string.Join(", ", limits)}");
}
