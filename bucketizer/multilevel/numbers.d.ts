/** AssemblyScript's names for numbers: to tsc both are `number`, and a reader knows which is which. */
declare type i32 = number;
declare type f64 = number;
